/* SPDX-License-Identifier: GPL-2.0 */
/* What has a number and a name: pools, caches. See registry.c. */
#ifndef QUARRY_REGISTRY_H
#define QUARRY_REGISTRY_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct quarry_registered - part of whatever is in a registry
 * @by_id:	in the tree of numbers
 * @by_name:	in that of names, unless it has come without one
 * @name:	its name, which lives as long as this
 * @id:		its number, of the registry
 * @here:	it is in the registry
 * @named:	it is found by its name
 */
struct quarry_registered {
	struct rb_node by_id;
	struct rb_node by_name;
	const char *name;
	u32 id;
	bool here;
	bool named;
};

/**
 * struct quarry_registry - all things of a kind
 * @lock:	for a few steps; raw, so its holder cannot lose the CPU
 * @by_id:	all, in the order of their numbers
 * @by_name:	those with a name, by that
 * @nr:		how many there are
 * @next_id:	number that the next one gets, if nobody has it
 * @look:	takes a reference of what is found, under @lock
 */
struct quarry_registry {
	raw_spinlock_t lock;
	struct rb_root by_id;
	struct rb_root by_name;
	unsigned int nr;
	u32 next_id;
	void (*look)(struct quarry_registered *e);
};

#define QUARRY_REGISTRY(reg, look_at) {					\
	.lock = __RAW_SPIN_LOCK_UNLOCKED((reg).lock),			\
	.look = look_at,						\
}

int quarry_registry_add(struct quarry_registry *reg, struct quarry_registered *e,
			const char *name);
void quarry_registry_add_again(struct quarry_registry *reg, struct quarry_registered *e);
void quarry_registry_remove(struct quarry_registry *reg, struct quarry_registered *e);
struct quarry_registered *quarry_registry_named(struct quarry_registry *reg, const char *name);
struct quarry_registered *quarry_registry_from(struct quarry_registry *reg, u64 id);
struct quarry_registered *quarry_registry_look(struct quarry_registry *reg, const char *name);
struct quarry_registered *quarry_registry_look_id(struct quarry_registry *reg, u32 id);
struct quarry_registered *quarry_registry_look_next(struct quarry_registry *reg,
						    const struct quarry_registered *e);
unsigned int quarry_registry_list(struct quarry_registry *reg, u64 *from, void *to, size_t size,
				  unsigned int room,
				  void (*show)(const struct quarry_registered *e, void *to));

/* How many there are. Context: any. */
static inline unsigned int quarry_registry_number(const struct quarry_registry *reg)
{
	return READ_ONCE(reg->nr);
}

/* Is it in its registry? Context: any, while somebody looks at it. */
static inline bool quarry_is_registered(const struct quarry_registered *e)
{
	/* Whoever sees that it has gone sees what was done before it went. */
	return smp_load_acquire(&e->here);
}

#endif /* QUARRY_REGISTRY_H */
