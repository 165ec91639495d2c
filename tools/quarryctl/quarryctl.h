/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of quarryctl share. One file does one job:
 *
 *   main.c     the commands, and how one is found
 *   options.c  argp: every option of every command
 *   number.c   sizes, counts and seconds, from and to text
 *   device.c   /dev/quarry; an errno becomes a sentence and an exit status
 *   select.c   which pools a command is about
 *   caches.c   which caches there are
 *   modes.c    safety modes of caches, from and to text
 *   table.c    rows and columns, printed by libsmartcols
 *   screen.c   the terminal: width, colour, redrawing in place
 *   picture.c  areas drawn as cells
 *   cmd_*.c    one command each
 */
#ifndef QUARRYCTL_H
#define QUARRYCTL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

#include <linux/quarry.h>

typedef __u64 u64;
typedef __s64 s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define U64_MAX		(~(u64)0)

#define DEVICE_DEFAULT	"/dev/quarry"

/* Exit statuses are an interface: scripts test them, the man page lists them. */
enum exit_status {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
	EXIT_NO_MODULE	= 3,
	EXIT_DENIED	= 4,
	EXIT_SKEW	= 5,
	EXIT_FAULTS	= 6,
	EXIT_NO_POOL	= 7,
	EXIT_EXISTS	= 8,
	EXIT_BUSY	= 9,
};

/* What to do about the two failures that have more than one place to be said. */
#define REMEDY_SKEW	"build and install both from one source, then reload the module"
#define REMEDY_LOAD	"load it with: modprobe quarry, or insmod quarry.ko"
#define REMEDY_ROOT	"run as root (sudo quarryctl ...)"

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* What the command line asked for. */
struct request {
	const char *device;
	const char *columns;
	bool json;
	bool raw;
	bool bytes;
	bool noheadings;
	enum when color;

	bool live;
	double delay;
	u64 count;
	int node;
	u64 min;
	u64 max;
	u64 reserve;
	u64 low;
	bool all;
	bool shrink;
	bool forget;
	bool switches;			/* one of the next four was asked for */
	unsigned int modes_set;
	unsigned int modes_clear;
	u64 fail_nth;
	unsigned int fail_per_million;

	int nr_args;
	char *args[2];
};

extern struct request req;

struct command {
	const char *name;
	const char *args_doc;
	const char *doc;
	const struct argp_option *options;
	int min_args;
	int max_args;
	int (*run)(void);
};

extern const struct command cmd_info, cmd_pools, cmd_buddy, cmd_map, cmd_stat;
extern const struct command cmd_validate, cmd_shrink, cmd_drain;
extern const struct command cmd_caches, cmd_cache, cmd_sizes, cmd_leaks;
extern const struct command cmd_pool_create, cmd_pool_destroy, cmd_pool_modes;

/* options.c */
enum option_key {
	OPT_JSON = 'J', OPT_RAW = 'r', OPT_BYTES = 'b', OPT_NOHEADINGS = 'n',
	OPT_OUTPUT = 'o', OPT_DELAY = 'd', OPT_COUNT = 'c', OPT_NODE = 'N', OPT_ALL = 'a',
	OPT_DEVICE = 0x100, OPT_COLOR, OPT_MIN, OPT_MAX, OPT_RESERVE, OPT_LOW,
	OPT_MODES, OPT_SHRINK, OPT_FAIL_NTH, OPT_FAIL_PER_MILLION,
	OPT_FORGET,
};

#define OPTION_DELAY \
	{ "delay", OPT_DELAY, "SECONDS", 0, \
	  "Repeat every SECONDS, 0.1 or more, until interrupted", 1 }
#define OPTION_COUNT \
	{ "count", OPT_COUNT, "COUNT", 0, \
	  "Stop after COUNT times; every second unless -d says otherwise", 1 }

extern const struct argp common_argp;
void parse_command(const struct command *cmd, int argc, char **argv);
void refuse_negative_words(const char *who, int argc, char **argv);
const char *nearest(const char *word, const char *const *words, size_t nr);

/* number.c */
bool size_parse(const char *text, u64 *bytes, char *why, size_t room);
bool count_parse(const char *text, u64 max, u64 *n, char *why, size_t room);
bool seconds_parse(const char *text, double *seconds, char *why, size_t room);
void size_format(char *buf, size_t room, u64 bytes);
void count_format(char *buf, size_t room, u64 n);

/* device.c */
extern struct quarry_version module;
/*
 * Ends @text within @room bytes, and makes '?' of what a terminal would obey or JSON cannot
 * hold: all that is not printable ASCII or the end of a line. For every text that a device
 * has written, where it comes in.
 */
void text_clean(char *text, size_t room);
__printf(2, 3) noreturn void die(int status, const char *fmt, ...);
/* Says the sentence and returns @status. */
__printf(2, 3) int complain(int status, const char *fmt, ...);
void device_open(bool write);
bool device_open_any_abi(void);
/* 0, or the exit status after the sentence has been said */
int device_call(unsigned long request, void *arg, const char *name);
/* the same, but a pool or cache that has gone is -ENOENT and says nothing */
int device_call_quiet(unsigned long request, void *arg, const char *name);
void name_set(char name[QUARRY_NAME_MAX], const char *text);
void name_check(const char *what, const char *text);

/* device.c: what forgotten pools have taken with them */
void forgotten_read(struct quarry_forgotten *f);

/* select.c */
struct pools {
	size_t nr;
	struct quarry_pool_entry *entry;
};

void pools_list(struct pools *pools);
void pools_select(struct pools *pools, const char *name);
void pools_free(struct pools *pools);
bool pool_stats(const char *name, struct quarry_pool_stats *stats);

/* caches.c */
struct caches {
	size_t nr;
	struct quarry_cache_entry *entry;
};

void caches_list(struct caches *caches);
void caches_free(struct caches *caches);
bool cache_stats(const char *name, struct quarry_cache_stats *stats, bool named);
const char *cache_kind(unsigned int kind);

/* modes.c */
void modes_format(char *buf, size_t room, unsigned int modes);
bool modes_parse(const char *text, unsigned int *set, unsigned int *clear, char *why, size_t room);

/* table.c */
enum kind { K_TEXT, K_SIZE, K_COUNT, K_NUMBER, K_MILLI };

struct column {
	const char *name;
	enum kind kind;
	bool extra;		/* shown only in JSON and when -o names it */
	size_t width;		/* least width, for lines that are appended */
};

struct table;

struct table *table_new(const char *name, const struct column *columns, size_t nr);
void table_row(struct table *t);
void table_text(struct table *t, size_t col, const char *text);
void table_number(struct table *t, size_t col, s64 n);
void table_count(struct table *t, size_t col, u64 n);
/* no value: "-", or @text, and null in JSON */
void table_none(struct table *t, size_t col, const char *text);
void table_print(struct table *t, FILE *out);
/* a record per column, for few records with many fields; as above if raw or JSON */
void table_print_upright(struct table *t, FILE *out);
/* one more line below the last; JSON on a single line */
void table_append(struct table *t, FILE *out, bool headings);
void table_free(struct table *t);

/* pool_ops.c */
enum { OPS_POOL, OPS_BYTES, OPS_NR_COLUMNS };

int pool_ops(unsigned long request, const char *name,
	     const struct column columns[OPS_NR_COLUMNS], u64 bytes, void (*hint)(int status));

/* screen.c */
int screen_width(void);
int screen_height(void);
bool screen_is_terminal(void);
bool screen_color(void);
bool screen_utf8(void);
void live_begin(void);
bool live_wait(void);
void live_draw(const char *text);
bool live_ended(void);
void live_end(void);

/* picture.c */
struct map {
	size_t nr;
	struct quarry_map_area *area;
};

bool map_read(const char *pool, struct map *map);
void map_free(struct map *map);
void picture_draw(FILE *out, const struct map *map, int width, int max_rows);
void picture_title(FILE *out, const char *pool, const struct map *map);
void picture_legend(FILE *out);

/* cmd_pools.c */
void pools_table_row(struct table *t, const struct quarry_pool_stats *s);
struct table *pools_table(void);

/* main.c */
/* sends out what was printed; false, remembering why, if that fails */
bool flush(void);

#endif /* QUARRYCTL_H */
