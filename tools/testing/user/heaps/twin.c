// SPDX-License-Identifier: GPL-2.0
/*
 * The naive map: page by page, in the plainest words. Pages outside of its windows have nothing,
 * and no operation touches them but those that go over ranges, which must pass over them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "machine.h"
#include "twin.h"

static u64 page_index(const struct twin *t, u32 i)
{
	return t->at[i / t->window] + i % t->window;
}

static u32 nr_pages(const struct twin *t)
{
	return t->windows * t->window;
}

struct twin_page *twin_page(struct twin *t, u64 index)
{
	u32 w;

	for (w = 0; w < t->windows; w++)
		if (index >= t->at[w] && index < t->at[w] + t->window)
			return &t->page[w * t->window + index - t->at[w]];
	return NULL;
}

static struct twin_leaf *twin_leaf(struct twin *t, u64 index)
{
	u32 i;

	for (i = 0; i < t->leaves; i++)
		if (t->leaf[i].index == index)
			return &t->leaf[i];
	return NULL;
}

void twin_init(struct twin *t, u64 size, const u64 *at, u32 windows, u32 window)
{
	u64 index;
	u32 i;

	memset(t, 0, sizeof(*t));
	quarry_heap_map_init(&t->m, size);
	t->size = size;
	t->windows = windows;
	t->window = window;
	t->next_frame = 2;
	memcpy(t->at, at, windows * sizeof(*at));
	for (i = 0; i < nr_pages(t); i++) {
		index = page_index(t, i) / QUARRY_HEAP_LEAF_PAGES;
		if (!twin_leaf(t, index))
			t->leaf[t->leaves++].index = index;
	}
}

void twin_fini(struct twin *t)
{
	quarry_heap_map_destroy(&t->m);
	tap_require(!heaps_out, "a map that is gone has memory");
}

bool twin_is_claimed(const struct twin *t)
{
	u32 i;

	for (i = 0; i < nr_pages(t); i++)
		if (t->page[i].claimed)
			return true;
	return false;
}

/* Does the contract allow it? Claims are filled and taken back beside others. */
bool twin_allows(const struct twin *t, const struct twin_op *op)
{
	switch (op->does) {
	case PREPARE:
	case PREPARE_FRAMES:
	case CLAIM:
		return true;
	case FILL:
	case UNCLAIM:
		return op->first < t->size && twin_page((struct twin *)t, op->first)->claimed;
	case UNRESERVE:
	case TAKE:
		return !twin_is_claimed(t) && op->first + op->nr <= t->size;
	default:
		return !twin_is_claimed(t);
	}
}

static bool in(const struct twin_op *op, u64 index)
{
	return index >= op->first && index - op->first < op->nr;
}

/* Leaves are made from the front; whatever is there when an allocation fails stays. */
static int naive_prepare(struct twin *t, const struct twin_op *op)
{
	unsigned int fail_in = op->most;
	struct twin_leaf *leaf;
	u64 at;

	if (op->first >= t->size || op->nr > t->size - op->first)
		return -ENXIO;
	for (at = op->first / QUARRY_HEAP_LEAF_PAGES;
	     at <= (op->first + op->nr - 1) / QUARRY_HEAP_LEAF_PAGES; at++) {
		leaf = twin_leaf(t, at);
		/* The leaf, its place in the xarray, and its array. */
		if (!leaf->there) {
			if (fail_in && (!--fail_in || !--fail_in))
				return -ENOMEM;
			leaf->there = true;
		}
		if (op->does == PREPARE || leaf->frames)
			continue;
		if (fail_in && !--fail_in)
			return -ENOMEM;
		leaf->frames = true;
	}
	return 0;
}

static int naive_claim(struct twin *t, u64 index)
{
	struct twin_page *p = twin_page(t, index);

	if (index >= t->size)
		return -ENXIO;
	if (!twin_leaf(t, index / QUARRY_HEAP_LEAF_PAGES)->frames)
		return -ENOENT;
	if (p->guard)
		return -EACCES;
	if (p->claimed)
		return -EALREADY;
	if (p->frame)
		return -EEXIST;
	p->claimed = true;
	return p->reserved;
}

/* Of pages that have leaves: the windows' at most. */
static int naive_is_prepared(struct twin *t, const struct twin_op *op)
{
	struct twin_leaf *leaf;
	u64 at;

	if (op->first > t->size || op->nr > t->size - op->first)
		return -ENXIO;
	for (at = op->first / QUARRY_HEAP_LEAF_PAGES;
	     op->nr && at <= (op->first + op->nr - 1) / QUARRY_HEAP_LEAF_PAGES; at++) {
		leaf = twin_leaf(t, at);
		if (!leaf || !leaf->there)
			return -ENOENT;
	}
	return 0;
}

static u64 naive_missing(struct twin *t, const struct twin_op *op)
{
	u64 missing = op->nr;
	u32 i;

	for (i = 0; i < nr_pages(t); i++)
		if (in(op, page_index(t, i)) &&
		    (t->page[i].frame || t->page[i].claimed || t->page[i].reserved))
			missing--;
	return missing;
}

static void do_reserve(struct twin *t, const struct twin_op *op)
{
	int want = naive_is_prepared(t, op), ret;
	u64 missing = naive_missing(t, op), aside;
	u32 i;

	if (want != -ENXIO)
		tap_require(quarry_heap_map_missing(&t->m, op->first, op->nr) == missing,
			    "another number is missing");
	ret = quarry_heap_map_reserve(&t->m, op->first, op->nr, &aside);
	tap_require(ret == want, "reserve returned something else");
	tap_require(aside == (ret ? 0 : missing), "not what was missing is set aside");
	for (i = 0; !ret && i < nr_pages(t); i++)
		if (in(op, page_index(t, i)))
			t->page[i].reserved = true;
}

static void do_unreserve(struct twin *t, const struct twin_op *op)
{
	u64 freed = 0;
	u32 i;

	for (i = 0; i < nr_pages(t); i++) {
		if (!in(op, page_index(t, i)))
			continue;
		freed += t->page[i].reserved && !t->page[i].frame;
		t->page[i].reserved = false;
	}
	tap_require(quarry_heap_map_unreserve(&t->m, op->first, op->nr) == freed,
		    "another number need not be set aside");
}

static void do_take(struct twin *t, const struct twin_op *op)
{
	u64 at = op->first, end = op->first + op->nr, next;
	u32 i, nr = 0, promised, most = 0, want;
	unsigned long frames[16];

	tap_require(op->most <= 16, "no room");
	next = end;
	for (i = 0; i < nr_pages(t) && nr <= op->most; i++) {
		struct twin_page *p = &t->page[i];

		if (!in(op, page_index(t, i)) || !p->frame)
			continue;
		if (nr++ == op->most)
			next = page_index(t, i);
	}
	want = nr > op->most ? op->most : nr;
	nr = quarry_heap_map_take(&t->m, &at, end, frames, op->most, &promised);
	tap_require(nr == want, "another number was taken");
	tap_require(nr == op->most ? at >= op->first && at <= next : at == end, "where to go on");
	for (i = 0; i < nr_pages(t) && most < nr; i++) {
		struct twin_page *p = &t->page[i];

		if (!in(op, page_index(t, i)) || !p->frame)
			continue;
		tap_require(page_index(t, i) < at, "a page that was taken comes again");
		tap_require(frames[most++] == p->frame, "the frame is another");
		p->frame = 0;
		promised -= p->reserved;
	}
	tap_require(!promised, "another number is promised");
}

static void do_guard(struct twin *t, const struct twin_op *op)
{
	bool guard = op->does == GUARD;
	int want = naive_is_prepared(t, op);
	u32 i;

	if (!guard && want == -ENOENT)
		want = 0;
	for (i = 0; guard && !want && i < nr_pages(t); i++)
		if (in(op, page_index(t, i)) && t->page[i].frame)
			want = -EBUSY;
	tap_require(quarry_heap_map_guard(&t->m, op->first, op->nr, guard) == want,
		    "guard returned something else");
	for (i = 0; !want && i < nr_pages(t); i++)
		if (in(op, page_index(t, i)))
			t->page[i].guard = guard;
}

static void do_trim(struct twin *t)
{
	bool used[TWIN_LEAVES] = { false };
	u32 i, k;

	quarry_heap_map_trim(&t->m);
	for (i = 0; i < nr_pages(t); i++) {
		struct twin_page *p = &t->page[i];

		for (k = 0; k < t->leaves; k++)
			if (t->leaf[k].index == page_index(t, i) / QUARRY_HEAP_LEAF_PAGES)
				used[k] |= p->frame || p->reserved || p->guard;
	}
	for (k = 0; k < t->leaves; k++)
		if (!used[k])
			t->leaf[k] = (struct twin_leaf){ .index = t->leaf[k].index };
}

static void do_resize(struct twin *t, u64 size)
{
	int want = size > QUARRY_HEAP_MAX_PAGES ? -EFBIG : 0;
	u32 i;

	for (i = 0; !want && i < nr_pages(t); i++)
		if (page_index(t, i) >= size &&
		    (t->page[i].frame || t->page[i].reserved || t->page[i].guard))
			want = -EBUSY;
	tap_require(quarry_heap_map_resize(&t->m, size) == want, "resize returned something else");
	if (!want)
		t->size = size;
}

void twin_do(struct twin *t, const struct twin_op *op)
{
	int want;

	switch (op->does) {
	case PREPARE:
	case PREPARE_FRAMES:
		want = naive_prepare(t, op);
		heaps_fail_in = op->most;
		tap_require(quarry_heap_map_prepare(&t->m, op->first, op->nr,
						    op->does == PREPARE_FRAMES,
						    GFP_KERNEL) == want,
			    "prepare returned something else");
		heaps_fail_in = 0;
		break;
	case CLAIM:
		want = naive_claim(t, op->first);
		tap_require(quarry_heap_map_claim(&t->m, op->first) == want,
			    "claim returned something else");
		break;
	case FILL:
		twin_page(t, op->first)->frame = t->next_frame;
		twin_page(t, op->first)->claimed = false;
		quarry_heap_map_fill(&t->m, op->first, t->next_frame);
		t->next_frame += 2;
		break;
	case UNCLAIM:
		twin_page(t, op->first)->claimed = false;
		quarry_heap_map_unclaim(&t->m, op->first);
		break;
	case RESERVE:
		do_reserve(t, op);
		break;
	case UNRESERVE:
		do_unreserve(t, op);
		break;
	case TAKE:
		do_take(t, op);
		break;
	case GUARD:
	case UNGUARD:
		do_guard(t, op);
		break;
	case TRIM:
		do_trim(t);
		break;
	case RESIZE:
		do_resize(t, op->nr);
		break;
	case NR_DOES:
		break;
	}
}

static bool twin_has(const struct twin_page *p, unsigned int what)
{
	return what == QUARRY_HEAP_PRESENT ? !!p->frame :
	       what == QUARRY_HEAP_RESERVED ? p->reserved : p->guard;
}

/* From @from on to the end of the window, which has the answer or not. */
static void compare_next(struct twin *t, u32 from, u32 what, bool has)
{
	u32 i, last = (from / t->window + 1) * t->window;
	u64 end = page_index(t, last - 1) + 1;

	for (i = from; i < last && twin_has(&t->page[i], what) != has; i++)
		;
	tap_require(quarry_heap_map_next(&t->m, page_index(t, from), end, what, has) ==
		    (i < last ? page_index(t, i) : end), "another page is the next");
}

static void compare_leaves(struct twin *t)
{
	long memory = 0, leaves = 0;
	u32 k;

	for (k = 0; k < t->leaves; k++) {
		leaves += t->leaf[k].there;
		memory += t->leaf[k].there + t->leaf[k].frames;
	}
	tap_require(atomic64_read(&t->m.nr_leaves) == leaves, "another number of leaves");
	tap_require(heaps_out == memory, "another amount of memory");
}

void twin_compare(struct twin *t)
{
	u64 count[QUARRY_NR_HEAP_HAS] = { 0 }, aside = 0;
	u32 i, k;

	for (i = 0; i < nr_pages(t); i++) {
		struct twin_page *p = &t->page[i];
		u64 index = page_index(t, i);

		tap_require(quarry_heap_map_frame(&t->m, index) == p->frame, "another frame");
		for (k = 0; k < QUARRY_NR_HEAP_HAS; k++) {
			tap_require(quarry_heap_map_has(&t->m, index, k) == twin_has(p, k),
				    "the page has something else");
			count[k] += twin_has(p, k);
			compare_next(t, i, k, true);
			compare_next(t, i, k, false);
		}
		aside += p->reserved && !p->frame && !p->claimed;
	}
	for (k = 0; k < QUARRY_NR_HEAP_HAS; k++)
		tap_require((u64)atomic64_read(&t->m.count[k]) == count[k], "another count");
	tap_require((u64)atomic64_read(&t->m.aside) == aside, "another number is set aside");
	compare_leaves(t);
	if (!twin_is_claimed(t)) {
		const char *wrong = quarry_heap_map_check(&t->m);

		tap_require(!wrong, wrong ?: "");
	}
}
