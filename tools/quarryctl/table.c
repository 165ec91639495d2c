// SPDX-License-Identifier: GPL-2.0
/*
 * Tables. Commands fill in typed cells; libsmartcols lays out text and JSON.
 * The cells are kept here first, because one set of them may be printed in
 * either direction, and -o picks and orders the columns.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "quarryctl.h"

struct table {
	const char *name;
	const struct column *columns;
	size_t nr_columns;
	size_t *shown;
	size_t nr_shown;
	char **cells;
	bool *empty;
	size_t nr_rows;
	size_t room;
};

static void *need(void *p)
{
	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

static noreturn void unknown_column(const struct table *t, const char *name, int len)
{
	char list[1024] = "";
	size_t i, used = 0;

	for (i = 0; i < t->nr_columns && used < sizeof(list); i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%s", i ? "," : "",
				 t->columns[i].name);
	die(EXIT_USAGE, "--output: there is no column \"%.*s\"; there are: %s", len, name, list);
}

static void select_columns(struct table *t)
{
	const char *word = req.columns, *comma;
	size_t i, len;

	if (!word) {
		t->shown = need(calloc(t->nr_columns, sizeof(*t->shown)));
		for (i = 0; i < t->nr_columns; i++)
			if (!t->columns[i].extra || req.json)
				t->shown[t->nr_shown++] = i;
		return;
	}
	t->shown = need(calloc(strlen(word) + 1, sizeof(*t->shown)));
	for (;; word = comma + 1) {
		comma = strchr(word, ',');
		len = comma ? (size_t)(comma - word) : strlen(word);
		for (i = 0; i < t->nr_columns; i++)
			if (strlen(t->columns[i].name) == len &&
			    !strncasecmp(t->columns[i].name, word, len))
				break;
		if (i == t->nr_columns)
			unknown_column(t, word, len);
		t->shown[t->nr_shown++] = i;
		if (!comma)
			break;
	}
}

struct table *table_new(const char *name, const struct column *columns, size_t nr)
{
	struct table *t = need(calloc(1, sizeof(*t)));

	t->name = name;
	t->columns = columns;
	t->nr_columns = nr;
	select_columns(t);
	return t;
}

static void drop_rows(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nr_rows * t->nr_columns; i++)
		free(t->cells[i]);
	t->nr_rows = 0;
}

void table_free(struct table *t)
{
	drop_rows(t);
	free(t->cells);
	free(t->empty);
	free(t->shown);
	free(t);
}

void table_row(struct table *t)
{
	size_t had = t->nr_rows * t->nr_columns;

	if (t->nr_rows == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->cells = need(reallocarray(t->cells, t->room * t->nr_columns, sizeof(*t->cells)));
		t->empty = need(reallocarray(t->empty, t->room * t->nr_columns, sizeof(*t->empty)));
	}
	memset(t->cells + had, 0, t->nr_columns * sizeof(*t->cells));
	memset(t->empty + had, 0, t->nr_columns * sizeof(*t->empty));
	t->nr_rows++;
}

static size_t cell(const struct table *t, size_t col)
{
	return (t->nr_rows - 1) * t->nr_columns + col;
}

void table_text(struct table *t, size_t col, const char *text)
{
	t->cells[cell(t, col)] = need(strdup(text));
}

void table_none(struct table *t, size_t col, const char *text)
{
	t->empty[cell(t, col)] = true;
	table_text(t, col, text ? text : "-");
}

void table_number(struct table *t, size_t col, s64 n)
{
	char buf[32];

	if (t->columns[col].kind == K_MILLI)
		snprintf(buf, sizeof(buf), "%s%lld.%03lld", n < 0 ? "-" : "",
			 (n < 0 ? -n : n) / 1000, (n < 0 ? -n : n) % 1000);
	else
		snprintf(buf, sizeof(buf), "%lld", n);
	table_text(t, col, buf);
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
}

static struct libscols_table *new_scols(const struct table *t, FILE *out)
{
	struct libscols_table *st = need(scols_new_table());

	if (scols_table_set_name(st, t->name) || scols_table_set_stream(st, out))
		need(NULL);
	scols_table_enable_json(st, req.json);
	scols_table_enable_raw(st, req.raw);
	scols_table_enable_noheadings(st, req.noheadings);
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

static struct libscols_table *lay_out(const struct table *t, FILE *out)
{
	struct libscols_table *st = new_scols(t, out);
	struct libscols_line *line;
	size_t row, i, n;

	for (i = 0; i < t->nr_shown; i++)
		new_scols_column(st, &t->columns[t->shown[i]]);
	for (row = 0; row < t->nr_rows; row++) {
		line = need(scols_table_new_line(st, NULL));
		for (i = 0; i < t->nr_shown; i++) {
			n = row * t->nr_columns + t->shown[i];
			/* libsmartcols writes null where there is no data */
			if (t->cells[n] && !(req.json && t->empty[n]) &&
			    scols_line_set_data(line, i, t->cells[n]))
				need(NULL);
		}
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

void table_print_upright(struct table *t, FILE *out)
{
	static const struct column field = { .name = "FIELD", .kind = K_TEXT };
	struct column value = { .kind = K_NUMBER };
	bool titled = !strcmp(t->columns[0].name, "POOL") ||
		      !strcmp(t->columns[0].name, "CACHE");
	struct libscols_table *st;
	struct libscols_line *line;
	size_t row, i;

	/* for programs a record is a row, in every command */
	if (req.json || req.raw) {
		table_print(t, out);
		return;
	}
	if (!t->nr_rows)
		return;
	st = new_scols(t, out);
	new_scols_column(st, &field);
	for (row = 0; row < t->nr_rows; row++) {
		value.name = titled ? t->cells[row * t->nr_columns] : "VALUE";
		if (!titled)
			value.kind = K_TEXT;
		new_scols_column(st, &value);
	}
	for (i = 0; i < t->nr_shown; i++) {
		if (titled && !t->shown[i])
			continue;
		line = need(scols_table_new_line(st, NULL));
		if (scols_line_set_data(line, 0, t->columns[t->shown[i]].name))
			need(NULL);
		for (row = 0; row < t->nr_rows; row++)
			if (scols_line_set_data(line, row + 1,
						t->cells[row * t->nr_columns + t->shown[i]]))
				need(NULL);
	}
	print(st);
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
