// SPDX-License-Identifier: GPL-2.0
/*
 * Views that repeat: stat -d, caches -d, map -d.
 *
 * On a terminal a view is redrawn in place, and keys change it; elsewhere, and for programs,
 * each sample adds lines below the last, as from vmstat.
 *
 *	q	ends it		<, >	sort by the column to the left, to the right
 *	h	help		r	the other way round
 *	space	a sample now
 */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

static const char help_text[] =
	"  q      end\n"
	"  space  a sample now\n"
	"  h      this help; any key goes back\n";

static const char sort_help_text[] =
	"  < >    sort by the column to the left, to the right\n"
	"  r      sort the other way round\n";

void live_title(FILE *out, const char *what)
{
	time_t seconds = time(NULL);
	char clock[16], line[256];

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	snprintf(line, sizeof(line), "quarry %s   %s   every %gs   %s   q ends, h helps",
		 module.version, what, req.delay, clock);
	screen_line(out, line);
	fputc('\n', out);
}

double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) + (b->tv_nsec - a->tv_nsec) / 1e9;
}

static void *need(void *p)
{
	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

/* One more than asked for, so that there is always a next. */
struct samples *samples_new(size_t room, size_t size, size_t id_at)
{
	struct samples *s = need(calloc(1, sizeof(*s)));

	s->size = size;
	s->id_at = id_at;
	s->figures = need(calloc(room + 1, size));
	s->at = need(calloc(room + 1, sizeof(*s->at)));
	return s;
}

void *samples_next(struct samples *s)
{
	return s->figures + s->nr * s->size;
}

void samples_keep(struct samples *s)
{
	clock_gettime(CLOCK_MONOTONIC, &s->at[s->nr++]);
}

void samples_drop(void *samples)
{
	struct samples *s = samples;

	free(s->figures);
	free(s->at);
	free(s);
}

const void *samples_get(const struct samples *s, size_t i)
{
	return s->figures + i * s->size;
}

static __u32 number(const struct samples *s, size_t i)
{
	__u32 id;

	memcpy(&id, (const char *)samples_get(s, i) + s->id_at, sizeof(id));
	return id;
}

const void *samples_before(const struct samples *old, const struct samples *now, size_t i,
			   double *seconds)
{
	static const union {
		struct quarry_pool_stats pool;
		struct quarry_cache_stats cache;
	} none;
	size_t k;

	for (k = 0; old && k < old->nr; k++)
		if (number(old, k) == number(now, i)) {
			*seconds = seconds_between(&old->at[k], &now->at[i]);
			return samples_get(old, k);
		}
	*seconds = 0;
	return &none;
}

void table_rate(struct table *t, size_t col, double seconds, u64 was, u64 is)
{
	if (seconds <= 0)
		table_none(t, col, NULL);
	else
		/* per-CPU counters are summed without a lock: a step back is none */
		table_count(t, col, is > was ? (is - was) / seconds + 0.5 : 0);
}

static void draw(const struct live *live, const void *old, const void *now,
		 const struct order *order, bool helping)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		die(EXIT_FAILED, "out of memory");
	if (helping)
		fprintf(out, "%s%s", help_text, live->nr_columns ? sort_help_text : "");
	else
		live->draw(out, old, now, order);
	fclose(out);
	live_draw(text);
	free(text);
}

/* The next column to a side that the screen has. */
static void move_key(const struct live *live, struct order *order, int step)
{
	size_t i;

	if (!order->chosen && step > 0)
		order->key = live->nr_columns - 1;
	for (i = 0; i < live->nr_columns; i++) {
		order->key = (order->key + live->nr_columns + step) % live->nr_columns;
		if (!live->columns[order->key].extra)
			break;
	}
	order->chosen = true;
}

/* False: the view has to end. */
static bool take_key(const struct live *live, int key, struct order *order, bool *helping)
{
	bool was = *helping;

	*helping = false;
	switch (key) {
	case 'q':
	case EOF:
		return false;
	case 'h':
	case '?':
		*helping = !was;
		break;
	case '<':
	case '>':
		if (live->nr_columns)
			move_key(live, order, key == '<' ? -1 : 1);
		break;
	case 'r':
		order->reverse = !order->reverse;
		break;
	case 0:
		*helping = was;
		break;
	}
	return true;
}

/* The screen: a sample at each time, and the same ones drawn anew at a key. */
static void in_place(const struct live *live)
{
	void *old = NULL, *now = live->take();
	struct order order = { 0 };
	bool helping = false;
	u64 shown = live->at_once;
	int key;

	for (;;) {
		draw(live, old, now, &order, helping);
		/* Where rates are shown the first picture has none, and is not counted. */
		if (!flush() || (req.count && shown == req.count))
			break;
		key = live_wait();
		if (!take_key(live, key, &order, &helping))
			break;
		if (key && key != ' ')
			continue;
		if (old)
			live->drop(old);
		old = now;
		now = live->take();
		shown++;
	}
	if (old)
		live->drop(old);
	live->drop(now);
}

static void below_each_other(const struct live *live)
{
	void *old = NULL, *now = live->take();
	u64 line = 0;

	if (live->at_once)
		live->append(NULL, now, line++);
	while (flush() && !(req.count && line == req.count) && live_wait() != EOF) {
		if (old)
			live->drop(old);
		old = now;
		now = live->take();
		live->append(old, now, line++);
	}
	if (old)
		live->drop(old);
	live->drop(now);
}

int live_run(const struct live *live)
{
	bool screen = !req.json && !req.raw && !req.columns && screen_is_terminal();

	live_begin(screen);
	if (screen)
		in_place(live);
	else
		below_each_other(live);
	return EXIT_OK;
}
