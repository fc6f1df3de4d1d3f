/* Holds a read transaction of the data in the folder that is named until its input ends: says "reading" once it does. */
#include <stdio.h>
#include <unistd.h>

#include "store/lmdb.h"

int main(int argc, char **argv)
{
	struct fw_lmdb l;
	struct fw_error err;
	MDB_txn *txn;
	char byte;
	if (argc != 2 || fw_lmdb_open(&l, argv[1], FW_LMDB_READ, &err) < 0 || fw_lmdb_begin_read(&l, &txn) != 0)
		return 1;
	puts("reading");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	mdb_txn_abort(txn);
	fw_lmdb_close(&l);
	return 0;
}
