/* Why something is refused, said to the host. */
#ifndef COMMON_PROBLEM_H
#define COMMON_PROBLEM_H

#include <floorwalker/plugin.h>

/* Answers -1. `hint` may be "". */
int common_refuse(struct fw_plugin_problem *problem, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
