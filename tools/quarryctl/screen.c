// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal: how wide, whether in colour, whether UTF-8; and live views, which redraw in
 * place, read keys, and keep the last picture when they end. Then the terminal is as it was,
 * and while the program is stopped (^Z) the shell sees to that.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "quarryctl.h"

/* Lock-free atomics may be set by signal handlers. */
static atomic_int ended, resized, continued;
static struct timespec next_tick;
static bool tick_is_set;
static struct termios terminal;
static bool keys_on;
static int lines_drawn;
static bool cursor_hidden;

static int dimension(const char *variable, bool wide, int otherwise)
{
	const char *text = getenv(variable);
	struct winsize ws;
	char *end;
	long n;

	if (text && *text) {
		n = strtol(text, &end, 10);
		if (!*end && n > 0 && n < 10000)
			return n;
	}
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws)) {
		n = wide ? ws.ws_col : ws.ws_row;
		if (n > 0)
			return n;
	}
	return otherwise;
}

int screen_width(void)
{
	return dimension("COLUMNS", true, 80);
}

int screen_height(void)
{
	return dimension("LINES", false, 24);
}

bool screen_is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb"));
}

static bool find_color(void)
{
	const char *no = getenv("NO_COLOR");

	if (req.color != WHEN_AUTO)
		return req.color == WHEN_ALWAYS;
	return !(no && *no) && screen_is_terminal();
}

/* Asked for each cell of a picture: found out once. */
bool screen_color(void)
{
	static int known = -1;

	if (known < 0)
		known = find_color();
	return known;
}

/* What the environment calls the locale, whether it is installed or not. */
static const char *locale_wanted(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		text = getenv(variables[i]);
		if (text && *text)
			return text;
	}
	return "C";
}

/*
 * Small systems have a terminal that shows UTF-8, and no locales: the name is
 * believed then.
 */
static bool find_utf8(void)
{
	const char *name;

	if (setlocale(LC_CTYPE, ""))
		return !strcmp(nl_langinfo(CODESET), "UTF-8");
	name = locale_wanted();
	return strcasestr(name, "UTF-8") || strcasestr(name, "UTF8");
}

bool screen_utf8(void)
{
	static int known = -1;

	if (known < 0)
		known = find_utf8();
	return known;
}

/* Bytes that continue a character of UTF-8 take no column. */
size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

char *text_cut(const char *text, size_t width)
{
	char *cut = malloc(strlen(text) + sizeof("…"));
	size_t i, n = 0;

	if (!cut)
		die(EXIT_FAILED, "out of memory");
	for (i = 0; text[i]; i++) {
		n += (text[i] & 0xc0) != 0x80;
		if (n == width && text_width(text + i) > 1)
			break;
		cut[i] = text[i];
	}
	strcpy(cut + i, text[i] ? screen_utf8() ? "…" : "~" : "");
	return cut;
}

void screen_line(FILE *out, const char *text)
{
	char *cut = screen_is_terminal() ? text_cut(text, screen_width()) : NULL;

	fprintf(out, "%s\n", cut ? cut : text);
	free(cut);
}

static void on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void on_continue(int sig)
{
	(void)sig;
	continued = 1;
	resized = 1;
}

/* Keys come one by one, and are not shown. */
static void read_keys(void)
{
	struct termios raw = terminal;

	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void live_end(void)
{
	if (keys_on)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	keys_on = false;
	if (!cursor_hidden)
		return;
	fputs("\033[?7h\033[?25h", stdout);
	cursor_hidden = false;
	flush();
}

void live_begin(bool keys)
{
	/* No SA_RESTART: a signal has to end the sleep. */
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction resize = { .sa_handler = on_resize };
	struct sigaction go_on = { .sa_handler = on_continue };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	sigaction(SIGCONT, &go_on, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next_tick);
	atexit(live_end);
	if (keys && !tcgetattr(STDIN_FILENO, &terminal)) {
		keys_on = true;
		read_keys();
	}
}

bool live_ended(void)
{
	return ended;
}

/* Ticks are absolute, so that the time a sample takes does not add up. */
static void set_tick(void)
{
	struct timespec now;
	double whole;

	next_tick.tv_nsec += modf(req.delay, &whole) * 1e9;
	next_tick.tv_sec += whole;
	if (next_tick.tv_nsec >= 1000000000) {
		next_tick.tv_nsec -= 1000000000;
		next_tick.tv_sec++;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > next_tick.tv_sec + 1)
		next_tick = now;
}

static int read_key(void)
{
	unsigned char key;

	return read(STDIN_FILENO, &key, 1) == 1 ? key : EOF;
}

int live_wait(void)
{
	struct pollfd input = { .fd = keys_on ? STDIN_FILENO : -1, .events = POLLIN };
	struct timespec now, rest;
	double left;

	if (!tick_is_set)
		set_tick();
	tick_is_set = true;
	while (!ended) {
		if (continued && keys_on)
			read_keys();
		continued = 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = seconds_between(&now, &next_tick);
		if (left <= 0) {
			tick_is_set = false;
			return 0;
		}
		rest.tv_sec = left;
		rest.tv_nsec = (left - rest.tv_sec) * 1e9;
		if (ppoll(&input, 1, &rest, NULL) > 0)
			return read_key();
	}
	return EOF;
}

/* Wrapping is off while drawing: one line of text is one line on the screen. */
void live_draw(const char *text)
{
	int room = screen_height() - 1, lines = 0;
	const char *end;

	if (!cursor_hidden)
		fputs("\033[?25l", stdout);
	cursor_hidden = true;
	fputs("\033[?7l", stdout);
	if (resized) {
		fputs("\033[H\033[2J", stdout);
		resized = 0;
	} else if (lines_drawn) {
		printf("\033[%dA\r", lines_drawn);
	}
	for (; *text && lines < room; text = end + 1, lines++) {
		end = strchr(text, '\n');
		if (!end)
			break;
		printf("%.*s\033[K\n", (int)(end - text), text);
	}
	fputs("\033[J\033[?7h", stdout);
	lines_drawn = lines;
}
