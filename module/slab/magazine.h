/* SPDX-License-Identifier: GPL-2.0 */
/* Magazines of a CPU, and the depot they are exchanged with. See magazine.c. */
#ifndef QUARRY_MAGAZINE_H
#define QUARRY_MAGAZINE_H

#include <linux/quarry/cpu_cache.h>

/**
 * struct quarry_depot - magazines that no CPU has
 * @full:	with objects
 * @spare:	without
 * @nr_full:	length of @full
 * @nr_spare:	length of @spare
 * @low_full:	least @nr_full since it was last trimmed: what nobody needed
 * @nr_objects:	objects in @full
 * @disabled:	no CPU may take one with objects
 */
struct quarry_depot {
	struct list_head full;
	struct list_head spare;
	u32 nr_full;
	u32 nr_spare;
	u32 low_full;
	u64 nr_objects;
	bool disabled;
};

/**
 * struct quarry_remote - a CPU's magazine of objects of other nodes, on their way back
 * @mag:	the magazine, or NULL
 * @tag:	of its objects; 0 while they are of several nodes, and any while there are none
 */
struct quarry_remote {
	struct quarry_magazine *mag;
	u32 tag;
};

void quarry_cpu_cache_init(struct quarry_cpu_cache *m, u16 tag, const struct quarry_starts *starts,
			   u32 cap);
void quarry_cpu_cache_open(struct quarry_cpu_cache *m);
void quarry_cpu_cache_close(struct quarry_cpu_cache *m);
u32 quarry_cpu_cache_loaded_n(const struct quarry_cpu_cache *m,
			      const struct quarry_magazine *loaded);
u32 quarry_cpu_cache_n(const struct quarry_cpu_cache *m);

void quarry_magazine_init(struct quarry_magazine *mag, u32 cap);
void quarry_objects_sort(void **objects, u32 nr);
bool quarry_cpu_cache_swap_full(struct quarry_cpu_cache *m);
bool quarry_cpu_cache_swap_room(struct quarry_cpu_cache *m);
bool quarry_cpu_cache_take_full(struct quarry_cpu_cache *m, struct quarry_depot *d);
bool quarry_cpu_cache_put_full(struct quarry_cpu_cache *m, struct quarry_depot *d);
struct quarry_magazine *quarry_cpu_cache_install(struct quarry_cpu_cache *m,
						 struct quarry_magazine *mag);
bool quarry_cpu_cache_fit(struct quarry_cpu_cache *m, struct quarry_depot *d);

/* Is this the object that was taken last? */
static inline bool quarry_remote_is_last(const struct quarry_remote *r, const void *object)
{
	return r->mag && r->mag->n && r->mag->slot[r->mag->n - 1] == object;
}

bool quarry_remote_push(struct quarry_remote *r, u32 tag, void *object);
void *quarry_remote_pop(struct quarry_remote *r);
bool quarry_remote_put_full(struct quarry_remote *r, struct quarry_depot *d);
struct quarry_magazine *quarry_remote_install(struct quarry_remote *r,
					      struct quarry_magazine *mag);
u32 quarry_remote_n(const struct quarry_remote *r);

void quarry_depot_init(struct quarry_depot *d);
void quarry_depot_put(struct quarry_depot *d, struct quarry_magazine *mag);
struct quarry_magazine *quarry_depot_get_full(struct quarry_depot *d);
struct quarry_magazine *quarry_depot_get_spare(struct quarry_depot *d);
struct quarry_magazine *quarry_depot_get_small(struct quarry_depot *d, u32 cap);
void *quarry_depot_pop(struct quarry_depot *d);
const char *quarry_magazine_check(const struct quarry_magazine *mag);
const char *quarry_depot_check(const struct quarry_depot *d);
const char *quarry_cpu_cache_check(const struct quarry_cpu_cache *m);
const char *quarry_remote_check(const struct quarry_remote *r);

#endif /* QUARRY_MAGAZINE_H */
