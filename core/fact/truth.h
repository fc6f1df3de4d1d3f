/* Three-valued logic (S. C. Kleene, "Introduction to Metamathematics", 1952, §64): unknown is never yes. */
#ifndef FW_FACT_TRUTH_H
#define FW_FACT_TRUTH_H

enum fw_truth { FW_FALSE = 0, FW_UNKNOWN = 1, FW_TRUE = 2 };

static inline enum fw_truth fw_and(enum fw_truth a, enum fw_truth b)
{
	return a < b ? a : b;
}

static inline enum fw_truth fw_or(enum fw_truth a, enum fw_truth b)
{
	return a > b ? a : b;
}

static inline enum fw_truth fw_not(enum fw_truth a)
{
	return (enum fw_truth)(FW_TRUE - a);
}

#endif
