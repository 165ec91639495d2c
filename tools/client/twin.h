/* SPDX-License-Identifier: GPL-2.0 */
/*
 * twin: what the kernel has built in lives a second time beside itself.
 *
 * A module made of code that is in the kernel already may not export the same symbols,
 * register the same file system, or make the same folders in sysfs and procfs. The symbols
 * are renamed by a header that tools/client/build writes. This one is included after it, and
 * renames the rest: "ext4" becomes "client-ext4". Trace events are left out (NOTRACE), since
 * their folders in tracefs would be there twice.
 *
 * It comes before quarry's headers: what is allocated here is the kernel's.
 *
 * With QUARRY_CLIENT_PLAIN quarry's headers do not follow, and caches are the kernel's. There the
 * code that is built in has made some of the same names, which sysfs takes once only.
 */
#ifndef _QUARRY_CLIENT_TWIN_H
#define _QUARRY_CLIENT_TWIN_H

#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

static inline int client_register_filesystem(struct file_system_type *type)
{
	const char *name = type->name;
	int err;

	type->name = kasprintf(GFP_KERNEL, "client-%s", name);
	err = type->name ? register_filesystem(type) : -ENOMEM;
	if (err) {
		kfree(type->name);
		type->name = name;
	}
	return err;
}

/* Only a name that was registered is memory of its own. */
static inline int client_unregister_filesystem(struct file_system_type *type)
{
	int err = unregister_filesystem(type);

	if (!err)
		kfree(type->name);
	return err;
}

static inline struct kobject *client_kobject_create_and_add(const char *name,
							    struct kobject *parent)
{
	char *ours = kasprintf(GFP_KERNEL, "client-%s", name);
	struct kobject *kobject = ours ? kobject_create_and_add(ours, parent) : NULL;

	kfree(ours);
	return kobject;
}

/* Folders below one of its own need no other name. */
static inline struct proc_dir_entry *client_proc_mkdir(const char *path,
						       struct proc_dir_entry *parent)
{
	const char *last = strrchr(path, '/');
	struct proc_dir_entry *entry = NULL;
	char *ours;

	if (parent)
		return proc_mkdir(path, parent);
	last = last ? last + 1 : path;
	ours = kasprintf(GFP_KERNEL, "%.*sclient-%s", (int)(last - path), path, last);
	if (ours)
		entry = proc_mkdir(ours, NULL);
	kfree(ours);
	return entry;
}

static inline void client_remove_proc_entry(const char *path, struct proc_dir_entry *parent)
{
	const char *last = strrchr(path, '/');
	char *ours;

	last = last ? last + 1 : path;
	if (parent) {
		remove_proc_entry(path, parent);
		return;
	}
	ours = kasprintf(GFP_KERNEL, "%.*sclient-%s", (int)(last - path), path, last);
	if (ours)
		remove_proc_entry(ours, NULL);
	kfree(ours);
}

#ifdef QUARRY_CLIENT_PLAIN

static inline struct kmem_cache *
client_kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
				  slab_flags_t flags, unsigned int useroffset,
				  unsigned int usersize, void (*ctor)(void *object))
{
	char *ours = kasprintf(GFP_KERNEL, "client-%s", name);
	struct kmem_cache *cache = NULL;

	if (ours)
		cache = kmem_cache_create_usercopy(ours, size, align, flags, useroffset, usersize,
						   ctor);
	kfree(ours);
	return cache;
}

static inline struct kmem_cache *
client_kmem_cache_create(const char *name, unsigned int size, unsigned int align,
			 slab_flags_t flags, void (*ctor)(void *object))
{
	return client_kmem_cache_create_usercopy(name, size, align, flags, 0, 0, ctor);
}

/* A function until 6.11, and a macro since, of which the compiler would complain here. */
#define kmem_cache_create		client_kmem_cache_create
#define kmem_cache_create_usercopy	client_kmem_cache_create_usercopy

#endif /* QUARRY_CLIENT_PLAIN */

#define register_filesystem	client_register_filesystem
#define unregister_filesystem	client_unregister_filesystem
#define kobject_create_and_add	client_kobject_create_and_add
#define proc_mkdir		client_proc_mkdir
#define remove_proc_entry	client_remove_proc_entry

#endif /* _QUARRY_CLIENT_TWIN_H */
