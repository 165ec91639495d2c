// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own caches. SLAB_NOLEAKTRACE changes nothing about the objects but keeps
 * a cache from being merged, in all kernels. Where caches have sheaves one with this
 * flag has none, so this is the arm without them: see arm_sheaves.c.
 */
#define KMEM_ARM	bench_kmem
#define KMEM_NAME	"kmem_cache"
#define KMEM_FLAGS	SLAB_NOLEAKTRACE
#include "kmem.h"
