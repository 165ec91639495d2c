/* SPDX-License-Identifier: GPL-2.0 */
/* Figures by name: what the lists of include/uapi/linux/quarry.h are made into. */
#ifndef QUARRY_FIGURES_H
#define QUARRY_FIGURES_H

#include <linux/stddef.h>
#include <linux/stringify.h>
#include <linux/types.h>
#include <uapi/linux/quarry.h>

/**
 * struct quarry_figure - a figure of a struct
 * @name:	of the field
 * @offset:	in the struct
 * @kind:	what it is
 */
struct quarry_figure {
	const char *name;
	u16 offset;
	enum quarry_figure_kind kind;
};

/* Of a line of a list, with its comma. */
#define QUARRY_FIGURE(type, kind, field)	\
	{ __stringify(field), offsetof(struct type, field), QUARRY_FIGURE_##kind },

/* Is it one of 64 bits, not misuse? Those stand in the file stats, and move when they count. */
static inline bool quarry_figure_is_plain(const struct quarry_figure *f)
{
	return f->kind != QUARRY_FIGURE_SHORT && f->kind != QUARRY_FIGURE_ERROR;
}

static inline bool quarry_figure_is_counter(const struct quarry_figure *f)
{
	return f->kind == QUARRY_FIGURE_SUM || f->kind == QUARRY_FIGURE_EVENT ||
	       f->kind == QUARRY_FIGURE_FAULT;
}

static inline u64 quarry_figure_value(const struct quarry_figure *f, const void *of)
{
	return *(const u64 *)(of + f->offset);
}

#endif /* QUARRY_FIGURES_H */
