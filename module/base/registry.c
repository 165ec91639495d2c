// SPDX-License-Identifier: GPL-2.0
/*
 * Registries: what has a number and a name, and is found by either.
 *
 * Pools and caches come and go while somebody goes over all of them, or asks for one by its
 * name. Neither may wait for the other, so nothing keeps a thing from going but a look:
 *
 *	registry --by_id---> 0 -- 1 -- 4 -- 7	a tree: the next one, also after one that has gone
 *	         `-by_name-> "a" -- "b" -- "d"	a tree: those that have a name, one of each
 *
 *	look	find, and call @look of the registry, which takes a reference: what describes the
 *		thing stays. It can go from the registry meanwhile, and whoever looks sees that.
 *
 * Numbers are given in order and are not given twice, until 2^32 have been given: then those
 * that somebody still has are left out. A thing that has gone and comes again, nameless, has the
 * number it had, so no walk sees it twice.
 *
 * Contexts: any but interrupts; the lock is held for a search at a time. Cost: a search is
 * logarithmic, so ten thousand caches are found in fourteen steps.
 */
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "registry.h"

static struct quarry_registered *registry_by_id(struct rb_node *node)
{
	return rb_entry_safe(node, struct quarry_registered, by_id);
}

static struct quarry_registered *by_name(struct rb_node *node)
{
	return rb_entry(node, struct quarry_registered, by_name);
}

static bool id_less(struct rb_node *a, const struct rb_node *b)
{
	return registry_by_id(a)->id < rb_entry(b, struct quarry_registered, by_id)->id;
}

static int compare_names(const void *name, const struct rb_node *node)
{
	return strcmp(name, rb_entry(node, struct quarry_registered, by_name)->name);
}

static bool name_less(struct rb_node *a, const struct rb_node *b)
{
	return compare_names(by_name(a)->name, b) < 0;
}

/* The first one whose number is @id or larger, or NULL. Under the registry's lock. */
struct quarry_registered *quarry_registry_from(struct quarry_registry *reg, u64 id)
{
	struct rb_node *node = reg->by_id.rb_node;
	struct quarry_registered *found = NULL;

	while (node) {
		if (registry_by_id(node)->id >= id) {
			found = registry_by_id(node);
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* The one of that name, or NULL. Under the registry's lock. */
struct quarry_registered *quarry_registry_named(struct quarry_registry *reg, const char *name)
{
	struct rb_node *node = rb_find(name, &reg->by_name, compare_names);

	return node ? by_name(node) : NULL;
}

/* The one after @e, which may have gone. Under the registry's lock. */
static struct quarry_registered *registry_after(struct quarry_registry *reg,
						const struct quarry_registered *e)
{
	if (!e->here)
		return quarry_registry_from(reg, e->id + 1ULL);
	return registry_by_id(rb_next(&e->by_id));
}

static bool is_taken(struct quarry_registry *reg, u32 id)
{
	struct quarry_registered *e = quarry_registry_from(reg, id);

	return e && e->id == id;
}

static void registry_insert(struct quarry_registry *reg, struct quarry_registered *e)
{
	rb_add(&e->by_id, &reg->by_id, id_less);
	WRITE_ONCE(reg->nr, reg->nr + 1);
	/* Pairs with quarry_is_registered(). */
	smp_store_release(&e->here, true);
}

/**
 * quarry_registry_add() - something comes, and gets its number
 * @reg:	the registry
 * @e:		its part for it
 * @name:	its name
 *
 * Context: any but interrupts. Return: 0, or -EEXIST if somebody has that name.
 */
int quarry_registry_add(struct quarry_registry *reg, struct quarry_registered *e,
			const char *name)
{
	int err = 0;

	raw_spin_lock(&reg->lock);
	if (quarry_registry_named(reg, name)) {
		err = -EEXIST;
	} else {
		while (is_taken(reg, reg->next_id))
			reg->next_id++;
		e->id = reg->next_id++;
		e->name = name;
		e->named = true;
		rb_add(&e->by_name, &reg->by_name, name_less);
		registry_insert(reg, e);
	}
	raw_spin_unlock(&reg->lock);
	return err;
}

/**
 * quarry_registry_add_again() - something comes back, without its name
 * @reg:	the registry
 * @e:		its part, which was in @reg before and has its number still
 *
 * Context: any but interrupts.
 */
void quarry_registry_add_again(struct quarry_registry *reg, struct quarry_registered *e)
{
	raw_spin_lock(&reg->lock);
	registry_insert(reg, e);
	raw_spin_unlock(&reg->lock);
}

/* Something goes. Its name is free. Under the registry's lock. */
void quarry_registry_remove(struct quarry_registry *reg, struct quarry_registered *e)
{
	rb_erase(&e->by_id, &reg->by_id);
	if (e->named)
		rb_erase(&e->by_name, &reg->by_name);
	e->named = false;
	WRITE_ONCE(reg->nr, reg->nr - 1);
	/* The same. */
	smp_store_release(&e->here, false);
}

static struct quarry_registered *registry_look(struct quarry_registry *reg,
					       struct quarry_registered *e)
{
	if (e)
		reg->look(e);
	return e;
}

/**
 * quarry_registry_look() - look at the one of a name
 * @reg:	the registry
 * @name:	its name
 *
 * Context: any but interrupts. Return: its part, or NULL.
 */
struct quarry_registered *quarry_registry_look(struct quarry_registry *reg, const char *name)
{
	struct quarry_registered *e;

	raw_spin_lock(&reg->lock);
	e = registry_look(reg, quarry_registry_named(reg, name));
	raw_spin_unlock(&reg->lock);
	return e;
}

/* The same by its number. */
struct quarry_registered *quarry_registry_look_id(struct quarry_registry *reg, u32 id)
{
	struct quarry_registered *e;

	raw_spin_lock(&reg->lock);
	e = quarry_registry_from(reg, id);
	e = registry_look(reg, e && e->id == id ? e : NULL);
	raw_spin_unlock(&reg->lock);
	return e;
}

/**
 * quarry_registry_look_next() - look at one after the other
 * @reg:	the registry
 * @e:		the one before, which is looked at still; NULL for the first
 *
 * Those that come or go meanwhile may be seen or not; all others are seen once.
 *
 * Context: any but interrupts. Return: its part; NULL at the end.
 */
struct quarry_registered *quarry_registry_look_next(struct quarry_registry *reg,
						    const struct quarry_registered *e)
{
	struct quarry_registered *next;

	raw_spin_lock(&reg->lock);
	next = registry_look(reg, e ? registry_after(reg, e) : quarry_registry_from(reg, 0));
	raw_spin_unlock(&reg->lock);
	return next;
}

/**
 * quarry_registry_list() - write down what there is
 * @reg:	the registry
 * @from:	the least number wanted; set to the first of those that are left
 * @to:		where to, zeroed
 * @size:	bytes of an entry
 * @room:	entries that fit
 * @show:	writes one entry
 *
 * Context: any but interrupts. Return: entries written; fewer than @room at the end.
 */
unsigned int quarry_registry_list(struct quarry_registry *reg, u64 *from, void *to, size_t size,
				  unsigned int room,
				  void (*show)(const struct quarry_registered *e, void *to))
{
	struct quarry_registered *e;
	unsigned int nr = 0;

	raw_spin_lock(&reg->lock);
	e = quarry_registry_from(reg, *from);
	for (; e && nr < room; e = registry_after(reg, e), nr++) {
		show(e, to + nr * size);
		*from = e->id + 1ULL;
	}
	raw_spin_unlock(&reg->lock);
	return nr;
}
