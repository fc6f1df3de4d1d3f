/* Reading one value of the configuration: each gives 0, or FW_EINVAL with a message that names the key, or FW_ENOMEM.
 * Results are untouched on failure. Only for config_keys.c. */
#ifndef FW_SERVER_CONFIG_VALUES_H
#define FW_SERVER_CONFIG_VALUES_H

#include "server/config.h"

/* "KEY wants WHAT and got a string"; FW_EINVAL. */
int fw_config_wanted(const struct fw_json *v, const char *what, struct fw_error *err);
int fw_config_no_memory(struct fw_error *err);

/* A table whose names are all in `known` (ended by NULL). */
int fw_config_only(const struct fw_json *object, const char *const *known, struct fw_error *err);
/* Text that is not empty. */
int fw_config_text(const struct fw_json *v, const char **ret, struct fw_error *err);
/* A path, made absolute from the configuration's folder. */
int fw_config_path(struct fw_config *c, const struct fw_json *v, const char **ret, struct fw_error *err);
int fw_config_one_of(const struct fw_json *v, const char *const *words, const char **ret, struct fw_error *err);
int fw_config_number(const struct fw_json *v, double least, double most, bool whole, double *ret, struct fw_error *err);
/* A list of texts; one text stands for a list of it. */
int fw_config_text_list(struct fw_config *c, const struct fw_json *v, struct fw_config_texts *ret, struct fw_error *err);

/* "90d", or "25mo" and "2y", which only keeping knows: a year is 365.25 days, a month a twelfth of it. Seconds. */
enum { FW_CONFIG_DAY_S = 86400, FW_CONFIG_YEAR_S = 31557600, FW_CONFIG_MONTH_S = FW_CONFIG_YEAR_S / 12 };
int fw_config_age(const struct fw_json *v, int64_t *ret, struct fw_error *err);

/* config_consent.c: whether `consent` is as it should be. */
int fw_config_consent(const struct fw_json *v, struct fw_error *err);

#endif
