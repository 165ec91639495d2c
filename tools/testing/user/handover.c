// SPDX-License-Identifier: GPL-2.0
/*
 * Threads over one depot and one struct quarry_slab_list, each with magazines of its own.
 *
 * The contract is that a struct quarry_cpu_cache belongs to one thread, that the node's
 * lock covers depot and slabs, and that quarry_slab_look() needs no lock for an object
 * the caller has. So: THREADS threads take and give back objects as module/cache does,
 * pass some on to each other through mailboxes, drain, trim, grow and shrink.
 *
 *	mixed		each frees what it took, or passes it on
 *	one way		odd threads free what even ones take: magazines travel
 *
 * An object handed out twice is seen twice over: its owner is kept in its first word,
 * by atomic exchange without order, and its second word is written and read plainly by
 * whoever has it. Built with ThreadSanitizer that word, the slots of magazines
 * and all that the core reads is a race unless a lock stands between two owners.
 *
 * quarry_cpu_cache_n() is called on other threads' magazines, which the owner changes
 * with plain stores: what it reads is a race by the language, and may be a moment old
 * on purpose. So the thread that calls it is left out under ThreadSanitizer, which has
 * no word for half a race; the rest stays strict.
 *
 * Magazines that are dropped are kept until the end: in the kernel RCU does that.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "../../../module/slab/magazine.h"
#include "../../../module/slab/slab.h"
#include "dice.h"
#include "tap.h"

#define MAX_THREADS	64
#define SLABS		48u
#define HELD		96u
#define MAILS		32u
#define REFILL		64u
#define TAG		1

static const u32 caps[] = { 3, 12, 28 };

/* What an object holds while somebody has it. */
struct object {
	_Atomic u64 owner;
	u64 plain;
};

/* Objects on their way to a thread. */
struct mailbox {
	pthread_mutex_t lock;
	struct object *object[MAILS];
	unsigned int n;
};

/* Threads write their CPU caches all the time: not in one cache line. */
struct thread {
	struct quarry_cpu_cache m;
	struct mailbox mailbox;
	struct dice d;
	struct object *held[HELD];
	unsigned int nr_held;
	u64 direct;
	u64 exchanges;
	u64 id;
	pthread_t handle;
} __attribute__((__aligned__(128)));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under it: */
static struct quarry_slab_list slabs;
static struct quarry_depot depot;
static struct quarry_slab *slab[SLABS];
static struct quarry_magazine *dropped[1 << 16];
static unsigned int nr_dropped;

static struct quarry_shape shape, least;
static char *memory;
static struct thread thread[MAX_THREADS];
static u64 nr_threads, nr_steps;
static bool one_way;
static atomic_bool stop;

static void fail(const char *what)
{
	printf("# %s\n", what);
	fflush(stdout);
	abort();
}

static struct quarry_slab *slab_of(const struct object *object)
{
	/* Who has an object has seen its slab added, and it cannot go. */
	return slab[((char *)object - memory) / quarry_shape_bytes(&shape)];
}

static void own(struct thread *t, struct object *o)
{
	if (atomic_exchange_explicit(&o->owner, t->id, memory_order_relaxed))
		fail("an object was handed out twice");
	o->plain = t->id;
	t->held[t->nr_held++] = o;
}

static void disown(const struct thread *t, struct object *o)
{
	if (o->plain != t->id ||
	    atomic_exchange_explicit(&o->owner, 0, memory_order_relaxed) != t->id)
		fail("an object changed hands");
	o->plain = 0;
}

/* --- with the lock ---------------------------------------------------------- */

static void grow(void)
{
	unsigned int i;

	for (i = 0; i < SLABS && slab[i]; i++)
		;
	if (i == SLABS)
		return;
	slab[i] = malloc(quarry_slab_metadata_bytes(&shape));
	if (!slab[i])
		fail("no memory");
	quarry_slab_init(slab[i], &slabs, false, false,
			 quarry_slab_list_first(&slabs, false, (unsigned long)memory +
						i * quarry_shape_bytes(&shape)));
	quarry_slab_list_add(slab[i]);
}

static bool shrink(void)
{
	struct quarry_slab *gone = quarry_slab_list_remove_empty(&slabs);

	if (!gone)
		return false;
	slab[(quarry_slab_start(gone) - (unsigned long)memory) / quarry_shape_bytes(&shape)] =
		NULL;
	free(gone);
	return true;
}

static void flush(struct quarry_magazine *mag, u32 nr)
{
	u32 i;

	quarry_objects_sort(mag->slot, nr);
	for (i = 0; i < nr; i++)
		if (quarry_slab_put(slab_of(mag->slot[i]), mag->slot[i]) != QUARRY_SLAB_OK)
			fail("an object was refused");
	mag->n -= nr;
	memmove(mag->slot, mag->slot + nr, mag->n * sizeof(mag->slot[0]));
}

static void drop(struct quarry_magazine *mag)
{
	if (!mag)
		return;
	if (nr_dropped == ARRAY_SIZE(dropped))
		fail("too many magazines");
	dropped[nr_dropped++] = mag;
}

static void drain_depot(u32 keep)
{
	struct quarry_magazine *mag;

	while (depot.nr_full > keep) {
		mag = quarry_depot_get_full(&depot);
		flush(mag, mag->n);
		drop(mag);
	}
	depot.low_full = depot.nr_full;
}

static void check(const char *what)
{
	if (what)
		fail(what);
}

static void check_node(void)
{
	check(quarry_depot_check(&depot));
	check(quarry_slab_list_check(&slabs));
}

/* --- a thread --------------------------------------------------------------- */

/* Closed. As quarry_magazine_refill_slow(). */
static void supply(struct thread *t)
{
	struct quarry_cpu_cache *m = &t->m;
	struct quarry_magazine *mag;

	if (!m->wants)
		return;
	m->wants = 0;
	mag = malloc(sizeof(*mag) + m->cap * sizeof(mag->slot[0]));
	if (!mag)
		fail("no memory");
	quarry_magazine_init(mag, m->cap);
	mag = quarry_cpu_cache_install(m, mag);
	m->wants = m->previous && m->previous->cap < m->cap;
	pthread_mutex_lock(&lock);
	if (mag && (mag->cap < m->cap || depot.nr_spare > 2 * nr_threads))
		drop(mag);
	else if (mag)
		quarry_depot_put(&depot, mag);
	drop(quarry_depot_get_small(&depot, m->cap));
	pthread_mutex_unlock(&lock);
}

/* Closed. As quarry_cpu_cache_refill(). */
static bool refill(struct thread *t)
{
	struct quarry_cpu_cache *m = &t->m;
	u32 nr = 0;

	supply(t);
	if ((m->loaded && m->loaded->n) || quarry_cpu_cache_swap_full(m))
		return true;
	pthread_mutex_lock(&lock);
	if (quarry_cpu_cache_take_full(m, &depot)) {
		t->exchanges++;
		nr = m->loaded->n;
	} else if (quarry_cpu_cache_fit(m, &depot)) {
		nr = quarry_slab_list_take(&slabs, min(m->loaded->cap, REFILL), m->loaded->slot);
		m->loaded->n = nr;
	} else {
		m->wants = 1;
	}
	pthread_mutex_unlock(&lock);
	return nr;
}

static void take(struct thread *t)
{
	void *object = quarry_cpu_cache_pop(&t->m);

	if (!object) {
		quarry_cpu_cache_close(&t->m);
		if (refill(t)) {
			object = t->m.loaded->slot[--t->m.loaded->n];
			t->m.allocs++;
		}
		quarry_cpu_cache_open(&t->m);
	}
	if (!object) {
		pthread_mutex_lock(&lock);
		if (!quarry_slab_list_take(&slabs, 1, &object)) {
			grow();
			if (!quarry_slab_list_take(&slabs, 1, &object))
				object = NULL;
		}
		pthread_mutex_unlock(&lock);
		t->direct += !!object;
	}
	if (object)
		own(t, object);
}

/* Closed. As quarry_cpu_cache_make_room(). */
static bool make_room(struct thread *t)
{
	struct quarry_cpu_cache *m = &t->m;
	bool done = true;

	supply(t);
	if ((m->loaded && m->loaded->n < m->loaded->cap) || quarry_cpu_cache_swap_room(m))
		return true;
	pthread_mutex_lock(&lock);
	if (quarry_cpu_cache_put_full(m, &depot)) {
		t->exchanges++;
	} else {
		m->wants = 1;
		done = m->loaded;
		if (done)
			flush(m->loaded, (m->loaded->cap + 1) / 2);
	}
	pthread_mutex_unlock(&lock);
	return done;
}

static void give(struct thread *t, struct object *o)
{
	u32 i;

	disown(t, o);
	/* Without the lock, while others take from and put to the same slab. */
	if (quarry_slab_look(slab_of(o), o, &i) != QUARRY_SLAB_OK)
		fail("an object that is out is said to be free");
	if (quarry_cpu_cache_push(&t->m, quarry_shape_label(&shape, slab_of(o)->first, TAG), o))
		return;
	quarry_cpu_cache_close(&t->m);
	if (make_room(t)) {
		t->m.loaded->slot[t->m.loaded->n++] = o;
		t->m.frees++;
	} else {
		pthread_mutex_lock(&lock);
		if (quarry_slab_put(slab_of(o), o) != QUARRY_SLAB_OK)
			fail("an object was refused");
		pthread_mutex_unlock(&lock);
		t->direct--;
	}
	quarry_cpu_cache_open(&t->m);
}

/* Hand the last object to another thread, if there is room in its mailbox. */
static void pass_on(struct thread *t, struct thread *to)
{
	struct object *o = t->held[t->nr_held - 1];
	struct mailbox *box = &to->mailbox;

	pthread_mutex_lock(&box->lock);
	if (box->n < MAILS) {
		disown(t, o);
		t->nr_held--;
		box->object[box->n++] = o;
		o = NULL;
	}
	pthread_mutex_unlock(&box->lock);
	/* Where objects go one way, it is of no use to be faster than who frees them. */
	if (o && one_way)
		sched_yield();
}

static void read_mail(struct thread *t)
{
	struct mailbox *box = &t->mailbox;

	pthread_mutex_lock(&box->lock);
	while (box->n && t->nr_held < HELD)
		own(t, box->object[--box->n]);
	pthread_mutex_unlock(&box->lock);
	if (one_way && !t->nr_held)
		sched_yield();
}

static void drain(struct thread *t)
{
	struct quarry_magazine *mag[2];
	unsigned int i;

	quarry_cpu_cache_close(&t->m);
	mag[0] = t->m.loaded;
	mag[1] = t->m.previous;
	t->m.loaded = NULL;
	t->m.previous = NULL;
	pthread_mutex_lock(&lock);
	for (i = 0; i < 2; i++)
		if (mag[i]) {
			flush(mag[i], mag[i]->n);
			quarry_depot_put(&depot, mag[i]);
		}
	pthread_mutex_unlock(&lock);
}

/* What comes seldom. */
static void housekeeping(struct thread *t)
{
	unsigned int what = dice(&t->d, 8);

	if (!what) {
		drain(t);
		return;
	}
	if (what == 1) {
		quarry_cpu_cache_close(&t->m);
		check(quarry_cpu_cache_check(&t->m));
		quarry_cpu_cache_open(&t->m);
		return;
	}
	if (what == 2) {
		t->m.cap = caps[dice(&t->d, ARRAY_SIZE(caps))];
		t->m.wants = 1;
		return;
	}
	pthread_mutex_lock(&lock);
	if (what == 3)
		drain_depot(dice(&t->d, 4));
	else if (what == 4)
		shrink();
	else if (what == 5)
		check_node();
	else
		grow();
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	struct thread *t = arg;
	u64 step, i, run;

	for (step = 0; step < nr_steps; step++) {
		bool taking = one_way ? t->id % 2 : dice(&t->d, 2);

		if (!dice(&t->d, 64))
			housekeeping(t);
		run = 1 + dice(&t->d, 24);
		for (i = 0; taking && i < run && t->nr_held < HELD; i++)
			take(t);
		if (!one_way || !taking)
			read_mail(t);
		for (i = 0; i < run && t->nr_held; i++) {
			if (one_way ? taking : !dice(&t->d, 4))
				pass_on(t, &thread[one_way ? t->id % nr_threads :
						   dice(&t->d, nr_threads)]);
			else if (!taking)
				give(t, t->held[--t->nr_held]);
		}
	}
	return NULL;
}

/* Reads what others write. */
static void *count(void *arg)
{
	u64 *seen = arg, i;

	while (!atomic_load(&stop)) {
		for (i = 0; i < nr_threads; i++) {
			u32 n = quarry_cpu_cache_n(&thread[i].m);

			if (n > 2 * caps[ARRAY_SIZE(caps) - 1])
				fail("more in magazines than they can hold");
			*seen += n;
		}
		sched_yield();
	}
	return NULL;
}

static bool has_tsan(void)
{
#if defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
	return __has_feature(thread_sanitizer);
#else
	return false;
#endif
}

static void start(u64 seed)
{
	u64 i;

	/* Of 40 bytes 16 are before the object. */
	if (quarry_shape_init(&shape, 40, 16, 64))
		fail("no shape");
	memory = aligned_alloc(quarry_shape_bytes(&shape), SLABS * quarry_shape_bytes(&shape));
	if (!memory)
		fail("no memory");
	memset(memory, 0, SLABS * quarry_shape_bytes(&shape));
	quarry_shape_least(&least, &shape);
	quarry_slab_list_init(&slabs, &shape, &least, 16);
	quarry_depot_init(&depot);
	for (i = 0; i < nr_threads; i++) {
		quarry_cpu_cache_init(&thread[i].m, TAG, &shape.starts, caps[i % ARRAY_SIZE(caps)]);
		pthread_mutex_init(&thread[i].mailbox.lock, NULL);
		thread[i].id = i + 1;
		dice_seed(&thread[i].d, seed + i);
	}
}

/* Everything back to the slabs, and nothing left of those. */
static void finish(u64 seen)
{
	u64 i, moved = 0, direct = 0, exchanges = 0;

	for (i = 0; i < nr_threads; i++) {
		struct thread *t = &thread[i];

		do {
			read_mail(t);
			while (t->nr_held)
				give(t, t->held[--t->nr_held]);
		} while (t->mailbox.n);
		drain(t);
		moved += t->m.allocs - t->m.frees;
		direct += t->direct;
		exchanges += t->exchanges;
	}
	if (moved + direct)
		fail("objects handed out are not those taken back");
	drain_depot(0);
	check_node();
	if (depot.nr_objects || slabs.nr_free != slabs.nr_slabs * shape.nr)
		fail("objects were lost");
	if (!exchanges)
		fail("no magazine went from hand to hand");
	while (shrink())
		;
	check_node();
	if (slabs.nr_slabs)
		fail("a slab is left");
	printf("# %llu at once, %llu steps each; %llu magazines exchanged, %llu seen\n",
	       nr_threads, nr_steps, exchanges, seen);
	while (depot.nr_spare)
		drop(quarry_depot_get_spare(&depot));
	while (nr_dropped)
		free(dropped[--nr_dropped]);
	free(memory);
}

static void threads(const void *arg)
{
	u64 seed = env_number("SEED", 1), seen = 0, i;
	pthread_t counter;

	one_way = arg;
	nr_steps = env_number("STEPS", 20000);
	nr_threads = env_number("THREADS", 4);
	if (nr_threads < 2 || nr_threads > MAX_THREADS || nr_threads % 2)
		fail("THREADS: 2 to 64, even");
	printf("# seed %llu\n", seed);
	start(seed);
	for (i = 0; i < nr_threads; i++)
		if (pthread_create(&thread[i].handle, NULL, work, &thread[i]))
			fail("no thread");
	if (!has_tsan() && pthread_create(&counter, NULL, count, &seen))
		fail("no thread");
	for (i = 0; i < nr_threads; i++)
		pthread_join(thread[i].handle, NULL);
	atomic_store(&stop, true);
	if (!has_tsan())
		pthread_join(counter, NULL);
	finish(seen);
}

int main(void)
{
	tap_plan(2);
	tap_run("mixed", threads, NULL);
	tap_run("one way", threads, "one way");
	return tap_end();
}
