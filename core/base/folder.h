/* Folders that are there when they are needed. */
#ifndef FW_BASE_FOLDER_H
#define FW_BASE_FOLDER_H

#include "base/error.h"

/* mkdir -p. The last one gets `mode` less the umask; those made on the way let everybody through, whatever the umask: whom the
 * last one is given to must get there. 0, FW_EIO, or FW_EFULL where the disk is. */
int fw_make_folders(const char *path, unsigned mode, struct fw_error *err);

#endif
