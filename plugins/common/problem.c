#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

int common_refuse(struct fw_plugin_problem *problem, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(problem->message, sizeof problem->message, format, args);
	va_end(args);
	snprintf(problem->hint, sizeof problem->hint, "%s", hint);
	return -1;
}
