// SPDX-License-Identifier: GPL-2.0
/*
 * Tags: from an address to the cache and node it is of, and to its slab.
 *
 * Each free asks whether this is an object, of this cache, of this node, and where its slab
 * is. Four answers of four tables would cost more than all else that a free does.
 *
 * Model
 *	Each node of a cache has a number, the tag, of which there are 65,534. The
 *	frames of its slabs carry it in their labels (labels.c); the fast
 *	path of a free compares it with the one of this CPU's magazines. So one
 *	comparison says: an object of this cache, of this node, in a slab that has
 *	nothing to do with safety modes. The rest of the label tells, with one more,
 *	that it is the beginning of an object (slab/shape.c). All else is sorted out here.
 *
 *	  address -> frame -> tag -> struct quarry_cache_node   (table below)
 *	                  `-> struct page -> private -> struct quarry_page_slab
 *
 *	A page of a slab is ours alone, and so is its private word.
 *
 * Looking up what may be garbage
 *	A slab that goes back to the pool loses its tags first, then its pages, and its
 *	description a grace period later. So whoever reads the tag, the private word,
 *	and the tag again, without being preempted, has a slab that is there.
 *
 * Contexts: tags are given in process context, and taken back by RCU; looking is for any.
 */
#include <linux/idr.h>
#include <linux/mm.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "cache.h"

#define TAGS	(U16_MAX + 1)
#define LARGEST	(QUARRY_TAG_LARGE - 1)

static DEFINE_IDA(ida);

/* By tag; pages of the table come as they are needed. */
static struct quarry_cache_node **table[TAGS / 512];

static struct quarry_cache_node **entry_of(u16 tag)
{
	struct quarry_cache_node **page = READ_ONCE(table[tag / 512]);

	return page ? &page[tag % 512] : NULL;
}

/* A page of the table for @tag, which must be there from now on. */
static bool tag_make_room(u16 tag)
{
	struct quarry_cache_node **page;

	if (table[tag / 512])
		return true;
	page = quarry_inject() ? NULL : kcalloc(512, sizeof(*page), GFP_KERNEL);
	if (page && cmpxchg(&table[tag / 512], NULL, page))
		kfree(page);
	return READ_ONCE(table[tag / 512]);
}

/**
 * quarry_tag_get() - give a node a tag
 * @n:		the node
 * @which:	0 for its plain slabs, 1 for its guarded ones
 *
 * Context: sleeps. Return: 0; -ENOMEM; -ENOSPC if all are given away.
 */
int quarry_tag_get(struct quarry_cache_node *n, unsigned int which)
{
	int tag = quarry_inject() ? -ENOMEM : ida_alloc_range(&ida, 1, LARGEST, GFP_KERNEL);

	if (tag < 0)
		return tag;
	if (!tag_make_room(tag)) {
		ida_free(&ida, tag);
		return -ENOMEM;
	}
	WRITE_ONCE(*entry_of(tag), n);
	WRITE_ONCE(n->tag[which], tag);
	return 0;
}

/* From now on nobody finds a node by its tags; no frame has them any more. Context: any. */
void quarry_tag_hide(struct quarry_cache_node *n)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(n->tag); i++)
		if (n->tag[i])
			WRITE_ONCE(*entry_of(n->tag[i]), NULL);
}

/*
 * Take a node's tags back, a grace period later: until then somebody may have read one
 * from a frame, and must not take it for another's. Context: any but NMI.
 */
void quarry_tag_put(struct quarry_cache_node *n)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(n->tag); i++)
		if (n->tag[i])
			ida_free(&ida, n->tag[i]);
}

/* The tag of a frame, 0 if it has none. Context: preemption off, or under RCU. */
u16 quarry_tag_of(unsigned long pfn)
{
	u64 label;

	return quarry_label_look(pfn, &label) ? label : 0;
}

/* Does a large allocation of malloc begin at a frame? Context: as quarry_tag_of(). */
bool quarry_tag_is_large(unsigned long pfn)
{
	return quarry_tag_of(pfn) == QUARRY_TAG_LARGE;
}

/* Whose a tag is, or NULL. Context: any. */
struct quarry_cache_node *quarry_tag_get_node(u16 tag)
{
	struct quarry_cache_node **entry = entry_of(tag);

	return entry ? READ_ONCE(*entry) : NULL;
}

/**
 * quarry_tag_node() - whose is a frame?
 * @pfn:	any number
 *
 * Context: preemption off. Return: the node, or NULL.
 */
struct quarry_cache_node *quarry_tag_node(unsigned long pfn)
{
	u16 tag = quarry_tag_of(pfn);

	return tag && tag != QUARRY_TAG_LARGE ? quarry_tag_get_node(tag) : NULL;
}

/**
 * quarry_page_slab_of() - the slab of an address
 * @object:	any value
 *
 * Context: preemption off, and while it stays so the slab can be looked at.
 *
 * Return: the slab that the address's page belongs to, or NULL.
 */
struct quarry_page_slab *quarry_page_slab_of(const void *object)
{
	unsigned long pfn = quarry_object_pfn(object);
	u16 tag = quarry_tag_of(pfn);
	struct quarry_page_slab *s;

	if (!tag || tag == QUARRY_TAG_LARGE)
		return NULL;
	/* The slab is as whole as its label promises. Pairs with that in slabs_grow(), slabs.c. */
	smp_rmb();
	s = (struct quarry_page_slab *)READ_ONCE(pfn_to_page(pfn)->private);
	/* Pairs with that in quarry_node_isolate(). */
	smp_rmb();
	return quarry_tag_of(pfn) == tag ? s : NULL;
}

/* Give the table back, at unload, when what goes by RCU has gone. */
void quarry_tags_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		kfree(table[i]);
		table[i] = NULL;
	}
	ida_destroy(&ida);
}
