// SPDX-License-Identifier: GPL-2.0
/*
 * flows - devices of tun with two queues each, and packets of many flows through both.
 *
 * A device with several queues keeps an entry for each flow that it has seen, and frees all
 * of them, after a grace period, when the device goes.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOWS	600

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char payload[64];
};

static int open_queue(struct ifreq *device)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, TUNSETIFF, device))
		err(1, "a queue of %s", device->ifr_name);
	return fd;
}

static void bring_up(struct ifreq *device)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq flags = *device;

	flags.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &flags))
		err(1, "%s is not up", device->ifr_name);
	close(fd);
}

static void send_flows(const int *queues)
{
	struct packet packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = 17,
			.tot_len = htons(sizeof(packet)) },
		.udp = { .len = htons(sizeof(packet) - sizeof(packet.ip)) },
	};
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		packet.ip.saddr = htonl(0x0a000001 + i);
		packet.ip.daddr = htonl(0x0a010001);
		packet.udp.source = htons(1000 + i);
		packet.udp.dest = htons(9);
		if (write(queues[i % 2], &packet, sizeof(packet)) != sizeof(packet))
			err(1, "packet %u", i);
	}
}

int main(int argc, char **argv)
{
	unsigned int round, rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

	for (round = 0; round < rounds; round++) {
		struct ifreq device = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE };
		int queues[2];

		snprintf(device.ifr_name, sizeof(device.ifr_name), "flows%u", round % 3);
		queues[0] = open_queue(&device);
		queues[1] = open_queue(&device);
		bring_up(&device);
		send_flows(queues);
		/* The first takes its flows along, the last the device. */
		close(queues[round % 2]);
		close(queues[!(round % 2)]);
	}
	return 0;
}
