// SPDX-License-Identifier: GPL-2.0
/*
 * Tables. Commands fill in typed cells; libsmartcols prints text and JSON.
 *
 * The cells are kept here first, because what is shown of them is decided when all are
 * there: -o picks and orders the columns, --sort the rows, and on a terminal a table is cut
 * to its width.
 *
 *	too wide?	texts end in an ellipsis, down to 16 columns each
 *	still?		the columns of the highest rank go, one at a time, until it fits
 *
 * Nothing is cut for programs: in a pipe, in JSON, with --raw, or where -o says what is
 * wanted.
 *
 * A row may be a total. It is the last, whatever the order of the others, and not there for
 * programs, which can add up by themselves.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "quarryctl.h"

/* Texts are not cut below this. */
#define TEXT_MIN	16

struct cell {
	char *text;
	u64 value;		/* of a number, to sort by */
	bool negative;
	bool none;		/* there is no value: @text stands for that */
};

struct row {
	bool total;
	bool empty;
	struct cell *cell;
};

struct table {
	const char *name;
	const struct column *columns;
	size_t nr_columns;
	size_t *shown;
	size_t nr_shown;
	struct row *row;
	size_t nr_rows;
	size_t room;
	size_t key;		/* column to sort by */
	bool sorted;
	bool reverse;
};

static void *need(void *p)
{
	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

static noreturn void unknown_column(const struct table *t, const char *option, const char *name,
				    int len)
{
	char list[1024] = "";
	size_t i, used = 0;

	for (i = 0; i < t->nr_columns && used < sizeof(list); i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%s", i ? "," : "",
				 t->columns[i].name);
	die(EXIT_USAGE, "%s: there is no column \"%.*s\"; there are: %s", option, len, name, list);
}

static size_t find_column(const struct table *t, const char *option, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < t->nr_columns; i++)
		if (strlen(t->columns[i].name) == len &&
		    !strncasecmp(t->columns[i].name, name, len))
			return i;
	unknown_column(t, option, name, len);
}

static void select_columns(struct table *t)
{
	const char *word = req.columns;
	size_t i, len;

	if (!word) {
		t->shown = need(calloc(t->nr_columns, sizeof(*t->shown)));
		for (i = 0; i < t->nr_columns; i++)
			if (!t->columns[i].extra || req.json)
				t->shown[t->nr_shown++] = i;
		return;
	}
	t->shown = need(calloc(strlen(word) + 1, sizeof(*t->shown)));
	for (;; word += len + 1) {
		len = strcspn(word, ",");
		t->shown[t->nr_shown++] = find_column(t, "--output", word, len);
		if (!word[len])
			break;
	}
}

void table_sort(struct table *t, size_t col, bool reverse)
{
	t->key = col;
	t->sorted = true;
	t->reverse = reverse;
}

struct table *table_new(const char *name, const struct column *columns, size_t nr)
{
	struct table *t = need(calloc(1, sizeof(*t)));
	const char *key = req.sort;
	bool reverse;

	t->name = name;
	t->columns = columns;
	t->nr_columns = nr;
	select_columns(t);
	if (key) {
		reverse = *key == '-';
		key += reverse;
		table_sort(t, find_column(t, "--sort", key, strlen(key)), reverse);
	}
	return t;
}

static void drop_row(struct table *t, struct row *row)
{
	size_t i;

	for (i = 0; i < t->nr_columns; i++)
		free(row->cell[i].text);
	free(row->cell);
}

static void drop_rows(struct table *t)
{
	while (t->nr_rows)
		drop_row(t, &t->row[--t->nr_rows]);
}

void table_free(struct table *t)
{
	drop_rows(t);
	free(t->row);
	free(t->shown);
	free(t);
}

void table_row(struct table *t)
{
	struct row *row;

	if (t->nr_rows == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->row = need(reallocarray(t->row, t->room, sizeof(*t->row)));
	}
	row = &t->row[t->nr_rows++];
	memset(row, 0, sizeof(*row));
	row->cell = need(calloc(t->nr_columns, sizeof(*row->cell)));
}

void table_row_is_total(struct table *t)
{
	t->row[t->nr_rows - 1].total = true;
}

void table_row_is_empty(struct table *t)
{
	t->row[t->nr_rows - 1].empty = true;
}

static struct cell *cell(struct table *t, size_t col)
{
	return &t->row[t->nr_rows - 1].cell[col];
}

void table_text(struct table *t, size_t col, const char *text)
{
	struct cell *c = cell(t, col);

	free(c->text);
	c->text = need(strdup(text));
}

void table_none(struct table *t, size_t col, const char *text)
{
	table_text(t, col, text ? text : "-");
	cell(t, col)->none = true;
}

void table_number(struct table *t, size_t col, s64 n)
{
	u64 size = n < 0 ? -(u64)n : (u64)n;
	char buf[32];

	if (t->columns[col].kind == K_MILLI)
		snprintf(buf, sizeof(buf), "%s%llu.%03llu", n < 0 ? "-" : "", size / 1000,
			 size % 1000);
	else
		snprintf(buf, sizeof(buf), "%s%llu", n < 0 ? "-" : "", size);
	table_text(t, col, buf);
	cell(t, col)->value = size;
	cell(t, col)->negative = n < 0;
}

void table_count(struct table *t, size_t col, u64 n)
{
	char buf[32];

	if (req.json || req.bytes || t->columns[col].kind == K_NUMBER)
		snprintf(buf, sizeof(buf), "%llu", n);
	else if (t->columns[col].kind == K_SIZE)
		size_format(buf, sizeof(buf), n);
	else
		count_format(buf, sizeof(buf), n);
	table_text(t, col, buf);
	cell(t, col)->value = n;
}

void table_share(struct table *t, size_t col, u64 part, u64 whole)
{
	double share = whole ? 100.0 * part / whole : 0;
	char buf[32];

	if (!whole) {
		table_none(t, col, NULL);
		return;
	}
	/* A device that lies has more than all; and a little is more than nothing. */
	if (share > 100)
		share = 100;
	if (req.json)
		snprintf(buf, sizeof(buf), "%.1f", share);
	else if (share > 0 && share < 0.5)
		snprintf(buf, sizeof(buf), "<1%%");
	else
		snprintf(buf, sizeof(buf), "%.0f%%", share);
	table_text(t, col, buf);
	cell(t, col)->value = share * 1000000;
}

bool table_wanted(void)
{
	return req.json || req.raw || req.columns || req.sort;
}

void table_figures(struct table *t, const void *figures)
{
	const struct column *c;
	__u32 narrow;
	u64 value;
	size_t i;

	for (i = 0; i < t->nr_columns; i++) {
		c = &t->columns[i];
		if (c->size == sizeof(narrow)) {
			memcpy(&narrow, (const char *)figures + c->offset, sizeof(narrow));
			table_count(t, i, narrow);
		} else if (c->size == sizeof(value)) {
			memcpy(&value, (const char *)figures + c->offset, sizeof(value));
			table_count(t, i, value);
		}
	}
}

/* --- order ------------------------------------------------------------------ */

/* Numbers from the largest, texts from A; what has no value comes last. */
static int compare(const void *one, const void *other, void *arg)
{
	const struct row *a = one, *b = other;
	const struct table *t = arg;
	const struct cell *x = &a->cell[t->key], *y = &b->cell[t->key];
	int sign = t->reverse ? -1 : 1;

	if (a->total != b->total)
		return a->total ? 1 : -1;
	if (x->none != y->none)
		return x->none ? 1 : -1;
	if (t->columns[t->key].kind == K_TEXT)
		return sign * strcmp(x->text ? x->text : "", y->text ? y->text : "");
	if (x->negative != y->negative)
		return sign * (x->negative ? 1 : -1);
	if (x->value == y->value)
		return 0;
	return sign * ((x->value < y->value) != x->negative ? 1 : -1);
}

/* glibc's merge sort: rows that are equal stay in the order in which they came. */
static void put_in_order(struct table *t)
{
	if (t->sorted && t->nr_rows)
		qsort_r(t->row, t->nr_rows, sizeof(*t->row), compare, t);
}

static bool is_shown(const struct row *row)
{
	if (row->total)
		return !req.json && !req.raw && !req.noheadings;
	return !(req.noempty && row->empty);
}

/* What is not shown has no width either. */
static void drop_hidden(struct table *t)
{
	size_t row, kept = 0;

	for (row = 0; row < t->nr_rows; row++) {
		if (is_shown(&t->row[row]))
			t->row[kept++] = t->row[row];
		else
			drop_row(t, &t->row[row]);
	}
	t->nr_rows = kept;
}

/* --- width ------------------------------------------------------------------ */

static size_t natural_width(const struct table *t, size_t col)
{
	size_t width = req.noheadings ? 0 : strlen(t->columns[col].name), row, n;

	if (t->columns[col].width > width)
		width = t->columns[col].width;
	for (row = 0; row < t->nr_rows; row++) {
		if (!t->row[row].cell[col].text)
			continue;
		n = text_width(t->row[row].cell[col].text);
		if (n > width)
			width = n;
	}
	return width;
}

static bool can_be_cut(const struct table *t, size_t col)
{
	return t->columns[col].kind == K_TEXT;
}

/* Columns of the screen that the table takes, if its texts have @cut at most. */
static size_t whole_width(const struct table *t, const size_t *width, size_t cut)
{
	size_t i, sum = 0;

	for (i = 0; i < t->nr_shown; i++)
		sum += 1 + (can_be_cut(t, t->shown[i]) && width[i] > cut ? cut : width[i]);
	return sum ? sum - 1 : 0;
}

static void drop_column(struct table *t, size_t *width, size_t i)
{
	memmove(&t->shown[i], &t->shown[i + 1], (t->nr_shown - i - 1) * sizeof(*t->shown));
	memmove(&width[i], &width[i + 1], (t->nr_shown - i - 1) * sizeof(*width));
	t->nr_shown--;
}

/* The column that matters least; of equals the last. None if all of them have to be. */
static bool least_column(const struct table *t, size_t *least)
{
	unsigned int rank = 0;
	size_t i;

	for (i = 0; i < t->nr_shown; i++)
		if (t->columns[t->shown[i]].rank && t->columns[t->shown[i]].rank >= rank) {
			rank = t->columns[t->shown[i]].rank;
			*least = i;
		}
	return rank;
}

static void cut_texts(struct table *t, size_t width)
{
	struct cell *c;
	size_t i, row;
	char *cut;

	for (i = 0; i < t->nr_shown; i++) {
		if (!can_be_cut(t, t->shown[i]))
			continue;
		for (row = 0; row < t->nr_rows; row++) {
			c = &t->row[row].cell[t->shown[i]];
			if (!c->text || text_width(c->text) <= width)
				continue;
			cut = text_cut(c->text, width);
			free(c->text);
			c->text = cut;
		}
	}
}

static void fit(struct table *t, size_t screen)
{
	size_t *width = need(calloc(t->nr_shown + 1, sizeof(*width)));
	size_t i, cut = screen;

	for (i = 0; i < t->nr_shown; i++)
		width[i] = natural_width(t, t->shown[i]);
	while (whole_width(t, width, TEXT_MIN) > screen && least_column(t, &i))
		drop_column(t, width, i);
	while (cut > 1 && whole_width(t, width, cut) > screen)
		cut--;
	cut_texts(t, cut);
	free(width);
}

static bool on_screen(void)
{
	return !req.json && !req.raw && screen_is_terminal();
}

static void fit_to_screen(struct table *t)
{
	if (on_screen() && !req.columns)
		fit(t, screen_width());
}

/* --- printing --------------------------------------------------------------- */

static struct libscols_table *new_scols(const struct table *t, FILE *out)
{
	struct libscols_table *st = need(scols_new_table());

	if (scols_table_set_name(st, t->name) || scols_table_set_stream(st, out))
		need(NULL);
	scols_table_enable_json(st, req.json);
	scols_table_enable_raw(st, req.raw);
	scols_table_enable_noheadings(st, req.noheadings);
	scols_table_enable_colors(st, !req.json && !req.raw && screen_color());
	/* Cut it is by fit(): libsmartcols would wrap. */
	scols_table_set_termforce(st, SCOLS_TERMFORCE_NEVER);
	if (!screen_utf8())
		scols_table_enable_ascii(st, 1);
	return st;
}

static void new_scols_column(struct libscols_table *st, const struct column *c)
{
	struct libscols_column *sc;
	int flags = 0;

	if (c->kind != K_TEXT)
		flags |= SCOLS_FL_RIGHT;
	/* libsmartcols heeds a hint above the name only if strict, and others only if not */
	if (c->width > strlen(c->name))
		flags |= SCOLS_FL_STRICTWIDTH;
	sc = need(scols_table_new_column(st, c->name, c->width, flags));
	scols_column_set_json_type(sc, c->kind == K_TEXT ? SCOLS_JSON_STRING : SCOLS_JSON_NUMBER);
}

/* What is wrong is red; what it counts is in the figure, for whoever sees no colour. */
static bool is_bad(const struct column *c, const struct cell *cell)
{
	return c->bad && !cell->none &&
	       (c->kind == K_TEXT ? strcmp(cell->text, c->bad) : cell->value != 0);
}

static void set_cell(struct libscols_line *line, size_t at, const struct column *c,
		     const struct cell *cell)
{
	/* libsmartcols writes null where there is no data */
	if (!cell->text || (req.json && cell->none))
		return;
	if (scols_line_set_data(line, at, cell->text))
		need(NULL);
	if (!req.json && !req.raw && screen_color() && is_bad(c, cell))
		scols_cell_set_color(scols_line_get_cell(line, at), "red");
}

static struct libscols_table *lay_out(struct table *t, FILE *out)
{
	struct libscols_table *st = new_scols(t, out);
	struct libscols_line *line;
	size_t row, i;

	drop_hidden(t);
	put_in_order(t);
	fit_to_screen(t);
	for (i = 0; i < t->nr_shown; i++)
		new_scols_column(st, &t->columns[t->shown[i]]);
	for (row = 0; row < t->nr_rows; row++) {
		line = need(scols_table_new_line(st, NULL));
		for (i = 0; i < t->nr_shown; i++)
			set_cell(line, i, &t->columns[t->shown[i]],
				 &t->row[row].cell[t->shown[i]]);
	}
	return st;
}

static void print(struct libscols_table *st)
{
	if (scols_print_table(st))
		die(EXIT_FAILED, "cannot lay out the table");
	scols_unref_table(st);
}

void table_print(struct table *t, FILE *out)
{
	if (t->nr_rows || req.json)
		print(lay_out(t, out));
	drop_rows(t);
}

/* Is each row of a pool or a cache, whose name is its title? */
static bool is_titled(const struct table *t)
{
	return !strcmp(t->columns[0].name, "POOL") || !strcmp(t->columns[0].name, "CACHE");
}

/* Is a figure nought in all rows, so that --nonzero leaves it out? A number is no figure. */
static bool is_nought(const struct table *t, size_t col)
{
	size_t row;

	if (t->columns[col].kind == K_TEXT || t->columns[col].kind == K_NUMBER)
		return false;
	for (row = 0; row < t->nr_rows; row++)
		if (t->row[row].cell[col].value)
			return false;
	return true;
}

static bool in_upright(const struct table *t, size_t i)
{
	return !(is_titled(t) && !t->shown[i]) && !(req.nonzero && is_nought(t, t->shown[i]));
}

/* Rows @from to @to - 1, beside each other. */
static void print_beside(struct table *t, FILE *out, size_t from, size_t to)
{
	static const struct column field = { .name = "FIELD", .kind = K_TEXT };
	struct libscols_table *st = new_scols(t, out);
	struct column value = { .kind = K_NUMBER };
	struct libscols_line *line;
	size_t row, i;

	new_scols_column(st, &field);
	for (row = from; row < to; row++) {
		value.name = is_titled(t) ? t->row[row].cell[0].text : "VALUE";
		if (!is_titled(t))
			value.kind = K_TEXT;
		new_scols_column(st, &value);
	}
	for (i = 0; i < t->nr_shown; i++) {
		if (!in_upright(t, i))
			continue;
		line = need(scols_table_new_line(st, NULL));
		if (scols_line_set_data(line, 0, t->columns[t->shown[i]].name))
			need(NULL);
		for (row = from; row < to; row++)
			set_cell(line, row - from + 1, &t->columns[t->shown[i]],
				 &t->row[row].cell[t->shown[i]]);
	}
	print(st);
}

/* Columns of the screen for the names of fields, or for the values of a row. */
static size_t fields_width(const struct table *t)
{
	size_t i, n, width = strlen("FIELD");

	for (i = 0; i < t->nr_shown; i++) {
		n = strlen(t->columns[t->shown[i]].name);
		if (in_upright(t, i) && n > width)
			width = n;
	}
	return width;
}

static size_t values_width(const struct table *t, size_t row)
{
	size_t i, n, width = 0;

	for (i = 0; i < t->nr_shown; i++) {
		if (!in_upright(t, i) && !(is_titled(t) && !t->shown[i]))
			continue;
		n = text_width(t->row[row].cell[t->shown[i]].text ?: "");
		if (n > width)
			width = n;
	}
	return width;
}

void table_print_upright(struct table *t, FILE *out)
{
	size_t from, to, width, screen = on_screen() ? (size_t)screen_width() : SIZE_MAX;

	/* for programs a record is a row, in every command */
	if (req.json || req.raw) {
		table_print(t, out);
		return;
	}
	drop_hidden(t);
	put_in_order(t);
	if (on_screen() && screen > fields_width(t) + 2)
		cut_texts(t, screen - fields_width(t) - 1);
	/* As many beside each other as there is room for, and the next ones below. */
	for (from = 0; from < t->nr_rows; from = to) {
		if (from)
			fputc('\n', out);
		width = fields_width(t);
		for (to = from; to < t->nr_rows; to++) {
			width += 1 + values_width(t, to);
			if (width > screen && to > from)
				break;
		}
		print_beside(t, out, from, to);
	}
	drop_rows(t);
}

/* libsmartcols breaks JSON only between tokens: line breaks in strings are escaped. */
static void print_one_line(struct libscols_table *st, FILE *out)
{
	char *text, *p;

	if (scols_print_table_to_string(st, &text))
		die(EXIT_FAILED, "cannot lay out the table");
	for (p = text; *p; p++) {
		if (*p == '\n') {
			p += strspn(p, "\n ");
			if (!*p)
				break;
		}
		fputc(*p, out);
	}
	fputc('\n', out);
	free(text);
	scols_unref_table(st);
}

void table_append(struct table *t, FILE *out, bool headings)
{
	struct libscols_table *st = lay_out(t, out);

	if (req.json) {
		print_one_line(st, out);
	} else {
		if (!headings)
			scols_table_enable_noheadings(st, 1);
		print(st);
	}
	drop_rows(t);
}
