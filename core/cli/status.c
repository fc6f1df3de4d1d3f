#include <getopt.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/running.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_status = {
	.name = "status",
	.summary = "what runs, since when, with which rule set",
	.usage = "usage: floorwalker status [--config FILE] [--json]\n\n"
		"  --config FILE  the configuration of the running daemon\n"
		"  --json         as JSON\n",
	.run = run,
};

static const char *text_of(const struct fw_json *object, const char *key)
{
	struct fw_str s = fw_json_text(object, key);
	return s.p ? s.p : "-";
}

static double number_of(const struct fw_json *object, const char *key)
{
	const struct fw_json *v = fw_json_get(object, key);
	return v ? v->number : 0;
}

static void print_plugins(const struct fw_json *loaded)
{
	const struct fw_json *plugins = fw_json_get(loaded, "plugins");
	printf("plugins     ");
	for (const struct fw_json *p = plugins ? plugins->child : NULL; p; p = p->next)
		printf("%s%s (build %s, interface %s)", p == plugins->child ? "" : ", ", text_of(p, "name"), text_of(p, "build"),
			text_of(p, "abi"));
	printf("%s\n", plugins && plugins->child ? "" : "none");
}

static void print_last_load(const struct fw_json *load)
{
	const struct fw_json *ok = fw_json_get(load, "ok"), *errors = fw_json_get(load, "errors");
	printf("last load   %s\n", !ok ? "not over yet" : ok->boolean ? "ok" : "refused");
	for (const struct fw_json *e = errors ? errors->child : NULL; e; e = e->next) {
		struct fw_str file = fw_json_text(e, "file"), hint = fw_json_text(e, "hint");
		const struct fw_json *line = fw_json_get(e, "line");
		printf("            ");
		if (file.p)
			printf("%s:", file.p);
		if (line)
			printf("%d:", (int)line->number);
		printf("%s%s%s%s\n", file.p ? " " : "", text_of(e, "message"), hint.p ? "; " : "", hint.p ? hint.p : "");
	}
}

static void print_catalog(const struct fw_json *catalog)
{
	const struct fw_json *broken = fw_json_get(catalog, "broken");
	double left_out = number_of(catalog, "leftOut");
	if (!catalog || catalog->type != FW_JSON_OBJECT)
		return;
	printf("catalogue   %.0f products, of %s", number_of(catalog, "products"), text_of(catalog, "feedTime"));
	if (left_out > 0)
		printf("; %.0f left out, the log says why", left_out);
	printf("\n");
	if (broken && broken->type == FW_JSON_STRING)
		printf("            the feed is broken since: %s\n", broken->string.p);
}

static void print_generation(const struct fw_json *s)
{
	const struct fw_json *loaded = fw_json_get(s, "loaded"), *kept = fw_json_get(s, "kept");
	if (!loaded) {
		puts("generation  none yet");
		return;
	}
	printf("generation  %d since %s%s\n", (int)number_of(s, "generation"), text_of(s, "since"),
		kept && kept->boolean ? ", from the last good copy, not from the files" : "");
	printf("rule set    %s: %d rules, %d slots, %d guards, %d tests\n", text_of(loaded, "ruleSet"), (int)number_of(loaded, "rules"),
		(int)number_of(loaded, "slots"), (int)number_of(loaded, "guards"), (int)number_of(loaded, "tests"));
	print_catalog(fw_json_get(loaded, "catalog"));
	print_plugins(loaded);
}

static void print_texts(const struct fw_json *list, const char *label)
{
	for (const struct fw_json *t = list ? list->child : NULL; t; t = t->next)
		printf("%-11s %s\n", label, t->string.p);
}

static void print_spool(const struct fw_json *spool)
{
	double events = number_of(spool, "events");
	if (events > 0)
		printf("spool       %.0f events held, the oldest for %.0f s\n", events, number_of(spool, "oldestSeconds"));
	else if (spool)
		puts(fw_json_get(spool, "events")->type == FW_JSON_NULL ? "spool       not looked at yet" : "spool       empty");
}

static void print_logged(const struct fw_json *s)
{
	const struct fw_json *loaded = fw_json_get(s, "loaded"), *logged = fw_json_get(s, "logged");
	struct fw_str folder = fw_json_text(loaded, "decisionLog");
	if (folder.n)
		printf("decisions   of %g %% of the visitors in %s: %.0f written (%.0f bytes), %.0f dropped\n",
			number_of(loaded, "decisionSample") * 100, folder.p, number_of(logged, "written"), number_of(logged, "bytes"),
			number_of(logged, "dropped"));
}

/* What it would have done otherwise, slot by slot and rule by rule. */
static void print_shadow(const struct fw_json *shadow)
{
	struct fw_str error = fw_json_text(shadow, "error");
	const struct fw_json *slots = fw_json_get(shadow, "slots"), *rules = fw_json_get(shadow, "byRule");
	double decisions = number_of(shadow, "decisions"), changed = number_of(shadow, "changed");
	if (!shadow || shadow->type != FW_JSON_OBJECT)
		return;
	printf("shadow      %s: ", text_of(shadow, "rules"));
	if (error.n) {
		printf("does not load: %s\n", error.p);
		return;
	}
	printf("%.0f decisions (a sample of %g %%), %.0f would be others (%.3g %%)\n", decisions, number_of(shadow, "sample") * 100,
		changed, decisions > 0 ? changed / decisions * 100 : 0);
	for (const struct fw_json *c = slots ? slots->child : NULL; c; c = c->next)
		if (number_of(c, "changed") > 0)
			printf("            %s: %.0f of %.0f\n", text_of(c, "slot"), number_of(c, "changed"), number_of(c, "decisions"));
	for (const struct fw_json *c = rules ? rules->child : NULL; c; c = c->next)
		printf("            rule %s: %.0f lost, %.0f gained\n", text_of(c, "rule"), number_of(c, "lost"), number_of(c, "gained"));
	if (number_of(shadow, "functionsFailed") > 0)
		printf("            %.0f times a function of its rules failed\n", number_of(shadow, "functionsFailed"));
}

static void print(const struct fw_json *s)
{
	const struct fw_json *workers = fw_json_get(s, "workers");
	printf("floorwalker %s, process %d, %s since %s\n", text_of(s, "version"), (int)number_of(s, "pid"), text_of(s, "state"),
		text_of(s, "started"));
	print_texts(fw_json_get(s, "listen"), "listening");
	print_generation(s);
	print_texts(fw_json_get(s, "setAside"), "set aside");
	print_texts(fw_json_get(s, "failing"), "failing");
	for (const struct fw_json *w = workers ? workers->child : NULL; w; w = w->next)
		printf("worker      %d since %s: %.0f requests, %d connections\n", (int)number_of(w, "pid"), text_of(w, "since"),
			number_of(w, "requests"), (int)number_of(w, "connections"));
	print_logged(s);
	print_shadow(fw_json_get(s, "shadow"));
	print_last_load(fw_json_get(s, "lastLoad"));
	const char *promise = fw_json_text(s, "promise").p;
	print_spool(fw_json_get(s, "spool"));
	printf("durability  %s%s%s\n", text_of(s, "durability"), promise ? ": " : "", promise ? promise : "");
}

static int run(int argc, char **argv)
{
	struct fw_plain_options options;
	if (fw_plain_options_read(&fw_command_status, argc, argv, &options) != FW_EXIT_DONE)
		return FW_EXIT_USAGE;
	if (optind < argc)
		return fw_command_misused(&fw_command_status, "takes no arguments");
	struct fw_running running;
	int status = fw_running_ask(&running, options.config, "status");
	if (status == FW_EXIT_DONE && options.json)
		printf("%s", fw_buf_text(&running.text));
	else if (status == FW_EXIT_DONE)
		print(running.answer);
	fw_running_finish(&running);
	return status;
}
