// SPDX-License-Identifier: GPL-2.0
/*
 * The node /dev/quarry: its number, and who may open it.
 *
 * It is root's, mode 0600, for what others allocate is nobody's business. With a group named
 * by the module's parameter device_gid it is that group's as well, mode 0660. A misc device
 * cannot say so: its node's group is always root's. So this is a device of a class of its own.
 *
 * Context: module load and unload.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "../base/inject.h"
#include "../compat.h"
#include "interfaces.h"

/* Only these two are quarry's; the kernel gives the number. */
static dev_t number;
static struct cdev cdev;

static struct class quarry_class = { .name = "quarry" };
static struct device *device;
static kgid_t group;
static bool has_group;

/* What devtmpfs and udev are told when the node is to be made; they ask with what they want. */
static char *devnode(QUARRY_DEVNODE_CONST struct device *dev, umode_t *mode, kuid_t *uid,
		     kgid_t *gid)
{
	if (mode)
		*mode = has_group ? 0660 : 0600;
	if (gid && has_group)
		*gid = group;
	return NULL;
}

static const struct device_type type = { .name = "quarry", .devnode = devnode };

static void node_release(struct device *dev)
{
	kfree(dev);
}

static int add_device(void)
{
	int err;

	device = quarry_inject() ? NULL : kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;
	device_initialize(device);
	device->class = &quarry_class;
	device->type = &type;
	device->devt = number;
	device->release = node_release;
	err = dev_set_name(device, "quarry");
	if (!err)
		err = cdev_device_add(&cdev, device);
	if (err)
		put_device(device);
	return err;
}

/**
 * quarry_node_init() - make the node
 * @fops:	what it can do
 * @gid:	of the group that may open it, or -1
 *
 * Context: module load. Return: 0 or a negative error.
 */
int __init quarry_node_init(const struct file_operations *fops, s64 gid)
{
	int err;

	has_group = gid >= 0;
	if (has_group)
		group = make_kgid(&init_user_ns, gid);
	err = alloc_chrdev_region(&number, 0, 1, "quarry");
	if (err)
		return err;
	err = class_register(&quarry_class);
	if (err)
		goto region;
	cdev_init(&cdev, fops);
	cdev.owner = THIS_MODULE;
	err = add_device();
	if (err)
		goto class;
	return 0;

class:
	class_unregister(&quarry_class);
region:
	unregister_chrdev_region(number, 1);
	return err;
}

void quarry_node_exit(void)
{
	cdev_device_del(&cdev, device);
	put_device(device);
	class_unregister(&quarry_class);
	unregister_chrdev_region(number, 1);
}
