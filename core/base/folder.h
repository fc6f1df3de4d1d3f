/* Folders and files as a whole. */
#ifndef FW_BASE_FOLDER_H
#define FW_BASE_FOLDER_H

#include "base/error.h"
#include "base/str.h"

/* mkdir -p. The last one gets `mode` less the umask; those made on the way let everybody through, whatever the umask: whom the
 * last one is given to must get there. 0, FW_EIO, or FW_EFULL where the disk is. */
int fw_make_folders(const char *path, unsigned mode, struct fw_error *err);

/* rm -r; what is not there is fine. */
void fw_remove_tree(const char *path);
/* A whole file, written beside and renamed. 0 or FW_EIO. */
int fw_write_file(const char *path, struct fw_str text, struct fw_error *err);

#endif
