/* What pages load, as page/build.mjs made it: the script, its source map, its types. */
#ifndef WEB_PAGE_FILES_H
#define WEB_PAGE_FILES_H

#include <stddef.h>

/* A file as it is served. The tags are strong ones, of the plain bytes and of the packed ones. */
struct web_page_file {
	const char *path, *type, *tag, *packed_tag;
	const unsigned char *plain;
	size_t plain_n;
	const unsigned char *packed; /* gzip */
	size_t packed_n;
};

/* Ended by a path of NULL. */
extern const struct web_page_file web_page_files[];

#endif
