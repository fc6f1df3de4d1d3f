/* `floorwalker explain --decision`: a decision of the log is made again, and explained. */
#ifndef FW_CLI_EXPLAIN_DECISION_H
#define FW_CLI_EXPLAIN_DECISION_H

#include <stdbool.h>

/* Prints it as /v1/explain answers (`json`), or as a table; `changes`: also what other rules would have needed; `orders`: where the items
 * of winners' lists stood, and why. Says on stderr what is missing, if it cannot. An exit status. */
int fw_explain_decision(const char *config, const char *id, bool json, bool changes, bool orders);

#endif
