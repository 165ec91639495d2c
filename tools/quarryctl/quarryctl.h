/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of quarryctl share. One file does one job:
 *
 *   main.c     the commands, and how one is found
 *   options.c  argp: every option of every command
 *   help.c     what --help says
 *   number.c   sizes, counts and seconds, from and to text
 *   device.c   /dev/quarry; an errno becomes a sentence and an exit status
 *   select.c   which pools a command is about
 *   caches.c   which caches there are
 *   modes.c    modes of caches and of pools, from and to text
 *   table.c    rows and columns, printed by libsmartcols
 *   screen.c   the terminal: width, colour, redrawing in place, keys
 *   live.c     views that repeat
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
#include <time.h>

#include <linux/quarry.h>

typedef __u64 u64;
typedef __s64 s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define U64_MAX		(~(u64)0)

#define DEVICE_DEFAULT	"/dev/quarry"
/* The pool that the module makes for itself. */
#define POOL_DEFAULT	"default"

/* Exit statuses are an interface: scripts test them, the man page lists them. */
enum exit_status {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
	EXIT_NO_MODULE	= 3,
	EXIT_DENIED	= 4,
	EXIT_SKEW	= 5,
	EXIT_VIOLATIONS	= 6,
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
	bool noempty;
	bool nonzero;
	const char *sort;
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

struct column;

/*
 * @summary:	a line in the list of all commands
 * @doc:	what argp shows: before and after the options
 * @columns:	of its table, which the help lists
 * @example:	a command line and what it shows, as tests/fake-device.c has it
 */
struct command {
	const char *name;
	const char *args_doc;
	const char *summary;
	const char *doc;
	const struct column *columns;
	size_t nr_columns;
	const char *example;
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
	OPT_SORT = 's', OPT_HELP = 'h',
	OPT_DEVICE = 0x100, OPT_COLOR, OPT_MIN, OPT_MAX, OPT_RESERVE, OPT_LOW,
	OPT_MODES, OPT_SHRINK, OPT_FAIL_NTH, OPT_FAIL_PER_MILLION,
	OPT_FORGET, OPT_NOEMPTY, OPT_NONZERO, OPT_USAGE,
};

#define OPTION_DELAY \
	{ "delay", OPT_DELAY, "SECONDS", 0, \
	  "Repeat every SECONDS, 0.1 or more, until interrupted", 1 }
#define OPTION_COUNT \
	{ "count", OPT_COUNT, "COUNT", 0, \
	  "Stop after COUNT times; every second unless -d says otherwise", 1 }

#define OPTION_NONZERO \
	{ "nonzero", OPT_NONZERO, NULL, 0, "Only figures that are not 0", 1 }

extern const struct argp common_argp;
/* every command, for help and for whoever looks for one */
extern const struct command *const commands[];
extern const size_t nr_commands;
void parse_command(const struct command *cmd, int argc, char **argv);
noreturn void help_command(const struct command *cmd);
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
/* for a total: figures that have a sum */
void cache_stats_add(struct quarry_cache_stats *sum, const struct quarry_cache_stats *s);
/* those that "caches" shows: without malloc's unless --all */
bool cache_is_wanted(const struct quarry_cache_entry *entry);
const char *cache_kind(unsigned int kind);

/* modes.c */
#define MODE_LINE(NAME, word, text)	"  " #word ": " text "\n"	/* of a help */
void modes_format(char *buf, size_t room, unsigned int modes);
void modes_say(char *buf, size_t room, unsigned int modes);
/* asked for what only others have: ends with a sentence. @who: "pool" or "cache" */
void modes_check(const char *who, unsigned int known);
bool modes_parse(const char *text, unsigned int *set, unsigned int *clear, char *why, size_t room);

/* table.c */
enum kind { K_TEXT, K_SIZE, K_COUNT, K_NUMBER, K_MILLI, K_SHARE };

struct column {
	const char *name;
	const char *help;
	enum kind kind;
	bool extra;		/* shown only in JSON and when -o names it */
	unsigned char rank;	/* on a narrow terminal the highest go first; 0 stays */
	const char *bad;	/* anything but this, or but 0, is wrong */
	size_t width;		/* least width, for lines that are appended */
	size_t offset;		/* of a figure: where in its struct, and how large */
	size_t size;
};

/* Members of a column that shows a field of a struct as it is. */
#define FIGURE(type, field) \
	.offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* What kinds of figures (linux/quarry.h) are to a column. */
#define K_BYTES		K_SIZE
#define K_SHORT		K_COUNT
#define K_SUM		K_COUNT
#define K_EVENT		K_COUNT
#define K_FAULT		K_COUNT, .bad = ""
#define K_ERROR		K_COUNT, .bad = ""

/* A column for a line of a list of figures. */
#define FIGURE_COLUMN(type, figure_kind, field, NAME, text)			\
	{ .name = #NAME, .help = text, .kind = K_##figure_kind,			\
	  FIGURE(struct type, field) },

struct table;

struct table *table_new(const char *name, const struct column *columns, size_t nr);
/* unless --sort says otherwise: @col from the largest or from A, or the other way */
void table_sort(struct table *t, size_t col, bool reverse);
void table_row(struct table *t);
/* the last, and not for programs */
void table_row_is_total(struct table *t);
/* --noempty leaves it out */
void table_row_is_empty(struct table *t);
void table_text(struct table *t, size_t col, const char *text);
void table_number(struct table *t, size_t col, s64 n);
void table_count(struct table *t, size_t col, u64 n);
/* percents */
void table_share(struct table *t, size_t col, u64 part, u64 whole);
/* every column that is a field of a struct */
void table_figures(struct table *t, const void *figures);
/* no value: "-", or @text, and null in JSON */
void table_none(struct table *t, size_t col, const char *text);
void table_print(struct table *t, FILE *out);
/* a record per column, for few records with many fields; as above if raw or JSON */
void table_print_upright(struct table *t, FILE *out);
/* one more line below the last; JSON on a single line */
void table_append(struct table *t, FILE *out, bool headings);
void table_free(struct table *t);
/* is the answer a table for programs, or of columns that were asked for? */
bool table_wanted(void);

/* pool_ops.c */
enum { OPS_POOL, OPS_BYTES, OPS_NR_COLUMNS };

int pool_ops(unsigned long request, const char *name,
	     const struct column columns[OPS_NR_COLUMNS], u64 bytes, const char *sentence,
	     void (*hint)(int status));

/* screen.c */
int screen_width(void);
int screen_height(void);
bool screen_is_terminal(void);
bool screen_color(void);
bool screen_utf8(void);
size_t text_width(const char *text);
/* a copy of at most @width columns, the last of which says that there was more */
char *text_cut(const char *text, size_t width);
/* a line, cut to the terminal if it is for one */
void screen_line(FILE *out, const char *text);
void live_begin(bool keys);
/* until it is time for the next sample, or a key was pressed: that key, 0, or EOF at the end */
int live_wait(void);
void live_draw(const char *text);
bool live_ended(void);
void live_end(void);

/* live.c */
#define HEADINGS_EVERY	20	/* lines after which headings come again */

struct order {
	size_t key;
	bool reverse;
	bool chosen;
};

/**
 * struct live - a view that repeats
 * @take:	a sample
 * @drop:	frees one
 * @draw:	what the screen shows of two samples, the older of which may be NULL
 * @append:	a line or more below the last, where there is no screen
 * @columns:	that the keys sort by; none: nothing can be sorted
 * @at_once:	lines begin with the first sample, not when there are two
 */
struct live {
	void *(*take)(void);
	void (*drop)(void *sample);
	void (*draw)(FILE *out, const void *old, const void *now, const struct order *order);
	void (*append)(const void *old, const void *now, u64 line);
	const struct column *columns;
	size_t nr_columns;
	bool at_once;
};

int live_run(const struct live *live);
/* the line above a view: what it is of, and how it is told */
void live_title(FILE *out, const char *what);
double seconds_between(const struct timespec *a, const struct timespec *b);

/**
 * struct samples - figures of pools or of caches, and when they were read
 * @nr:		how many
 * @size:	bytes of the struct that has them
 * @id_at:	where its number is in it: a name may be that of another by now
 * @figures:	the structs
 * @at:		when each was read
 */
struct samples {
	size_t nr;
	size_t size;
	size_t id_at;
	char *figures;
	struct timespec *at;
};

struct samples *samples_new(size_t room, size_t size, size_t id_at);
/* where the next are to be read to; samples_keep() if that was done */
void *samples_next(struct samples *s);
void samples_keep(struct samples *s);
void samples_drop(void *samples);
const void *samples_get(const struct samples *s, size_t i);
/* what the same one had before, and how many seconds that is ago: zeros and 0 if it is new */
const void *samples_before(const struct samples *old, const struct samples *now, size_t i,
			   double *seconds);
/* per second; none before there are two samples */
void table_rate(struct table *t, size_t col, double seconds, u64 was, u64 is);

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
/* a size for an order, as the largest block that is free */
void table_order(struct table *t, size_t col, int order);

/* cmd_caches.c, caches_live.c */
int caches_live(void);

/* help.c */
void help_all(FILE *out);
void help_statuses(void);
/* what argp knows nothing of: columns and an example */
void help_rest(const struct command *cmd);

/* main.c */
/* sends out what was printed; false, remembering why, if that fails */
bool flush(void);

#endif /* QUARRYCTL_H */
