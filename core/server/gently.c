#include "server/gently.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include "base/limits.h"

/* As deep as a process's first thread may go by default. */
enum { STACK_BYTES = 8 << 20 };

struct task {
	int (*work)(void *ctx);
	void *ctx;
	int ret;
};

static void *do_it(void *ctx)
{
	struct task *t = ctx;
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + FW_LIMIT_LOADING_NICE);
	t->ret = t->work(t->ctx);
	return NULL;
}

int fw_gently(int (*work)(void *ctx), void *ctx)
{
	struct task t = { .work = work, .ctx = ctx };
	pthread_attr_t attributes;
	pthread_t thread;
	if (pthread_attr_init(&attributes) != 0)
		return work(ctx);
	mallopt(M_ARENA_MAX, 1); /* what the work makes lies where it would without a thread */
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	int failed = pthread_create(&thread, &attributes, do_it, &t);
	pthread_attr_destroy(&attributes);
	if (failed)
		return work(ctx);
	pthread_join(thread, NULL);
	return t.ret;
}
