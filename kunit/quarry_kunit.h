/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites share. See help.c. */
#ifndef QUARRY_KUNIT_H
#define QUARRY_KUNIT_H

#include <kunit/test.h>
#include <linux/kasan.h>
#include <linux/quarry.h>
#include <linux/sizes.h>

#include "../module/arena/directory.h"
#include "../module/base/inject.h"
#include "../module/pages/misuse.h"
#include "../module/pages/pcp.h"
#include "../module/stats/snapshot.h"

/* Parameters of the module, see help.c. */
extern ulong quarry_test_seed;
extern ulong quarry_test_steps;
extern bool quarry_test_warn;

int quarry_test_parameters(struct kunit_suite *suite);

/* Frames in so many bytes. */
#define FRAMES(bytes)	((bytes) >> PAGE_SHIFT)

struct quarry_pool *quarry_test_pool(struct kunit *test, u64 min, u64 max);
struct quarry_pool *quarry_test_pool_of(struct kunit *test,
					const struct quarry_pool_config *cfg);
struct quarry_pool *quarry_test_near_pool(struct kunit *test, u64 min, u64 max);
void quarry_test_forget_pool(struct kunit *test, struct quarry_pool *pool);
const char *quarry_test_name(struct kunit *test);
void quarry_test_settle(struct quarry_pool *pool);
void quarry_test_compact(void);
void quarry_test_large_blocks(void);

struct page *quarry_test_memory(struct kunit *test, unsigned int order, bool zero);

struct quarry_pool_stats *quarry_test_stats(struct kunit *test,
					    struct quarry_pool *pool);
void quarry_test_sound(struct kunit *test, struct quarry_pool *pool);
void quarry_test_at_rest(struct kunit *test, struct quarry_pool *pool);
u64 quarry_test_violations(struct kunit *test, struct quarry_pool *pool, const char *what);
void quarry_test_only_error(struct kunit *test, struct quarry_pool *pool,
			    const struct quarry_pool_stats *before, int kind, u64 nr);

struct page **quarry_test_pages(struct kunit *test, unsigned int nr);
unsigned int quarry_test_take_all(struct kunit *test, struct quarry_pool *pool, gfp_t gfp,
				  unsigned int order, struct page **pages,
				  unsigned int room);
void quarry_test_give_all(struct quarry_pool *pool, unsigned int order,
			  struct page **pages, unsigned int nr);
void quarry_test_fill(struct page *page, unsigned int order, u64 salt);
bool quarry_test_filled(struct page *page, unsigned int order, u64 salt);
bool quarry_test_zeroed(struct page *page, unsigned int order);

void quarry_test_pin(struct kunit *test, int cpu);
void quarry_test_on_cpu(struct kunit *test, int cpu, void (*fn)(void *), void *arg);
void quarry_test_at_once(struct kunit *test, void (*fn)(void *), void *arg);
int quarry_test_other_cpu(struct kunit *test);
bool quarry_test_reclaim(void);
int quarry_test_other_node(struct kunit *test);
u64 quarry_test_memfree(void);

/* Look at or write to what is not the test's, without KASAN's telling of it. */
#define quarry_test_unseen(expression)						\
({										\
	typeof(expression) __result;						\
										\
	kasan_disable_current();						\
	__result = (expression);						\
	kasan_enable_current();							\
	__result;								\
})

struct quarry_page_arena *quarry_test_arena(struct page *page);
u8 *quarry_test_state(struct page *page);

u64 quarry_test_random(u64 *state, u64 below);

/* nmi.c: false where NMIs cannot be sent. */
int quarry_test_nmi_init(void);
void quarry_test_nmi_exit(void);
bool quarry_test_in_nmi(void (*fn)(void *arg), void *arg);

#endif /* QUARRY_KUNIT_H */
