/*
 * The C side of the benchmarks: the same guests and the same ioctls as tests/bench/main.ts, with
 * nothing between them and the kernel. Reads the name of a workload and a count a line and answers
 * each with the nanoseconds it took.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "reference.h"

int kvm, run_size;

void check(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

void set_signal_mask(int vcpu)
{
	struct { __u32 len; __u8 bits[8]; } mask = { .len = 8 };

	memset(mask.bits, 0xff, 8);
	check(ioctl(vcpu, KVM_SET_SIGNAL_MASK, &mask), "KVM_SET_SIGNAL_MASK");
}

static struct machine create(const unsigned char *code, size_t size)
{
	struct machine m;
	struct kvm_userspace_memory_region region = { .memory_size = RAM_SIZE };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	m.vm = ioctl(kvm, KVM_CREATE_VM, 0);
	check(m.vm, "KVM_CREATE_VM");
	m.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	region.userspace_addr = (unsigned long)m.ram;
	check(ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	memcpy(m.ram + CODE, code, size);
	m.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 0);
	check(m.vcpu, "KVM_CREATE_VCPU");
	set_signal_mask(m.vcpu);
	m.run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
	check(ioctl(m.vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	check(ioctl(m.vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(m.vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	regs.rip = CODE;
	check(ioctl(m.vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	return m;
}

void destroy(struct machine *m)
{
	munmap(m->run, run_size);
	close(m->vcpu);
	close(m->vm);
	munmap(m->ram, RAM_SIZE);
}

void expect_exit(struct machine *m, unsigned reason)
{
	check(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
	if (m->run->exit_reason == reason)
		return;
	fprintf(stderr, "exit reason %u instead of %u\n", m->run->exit_reason, reason);
	exit(1);
}

unsigned long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ul + t.tv_nsec;
}

/* out 0x10, al; jmp back */
static const unsigned char pio_guest[] = { 0xe6, 0x10, 0xeb, 0xfc };
/* mov [es:0], al with ES at 0x20000, beyond the RAM; jmp back */
static const unsigned char mmio_guest[] = {
	0xb8, 0x00, 0x20, 0x8e, 0xc0, 0x26, 0xa2, 0x00, 0x00, 0xeb, 0xfa
};
static const unsigned char halt_guest[] = { 0xf4 };

static unsigned long exits(const unsigned char *code, size_t size, unsigned reason, long count)
{
	static volatile unsigned long sum;
	static struct machine pio, mmio;
	struct machine *m = reason == KVM_EXIT_IO ? &pio : &mmio;
	unsigned long start;

	if (!m->run) {
		*m = create(code, size);
		expect_exit(m, reason);
	}
	start = now();
	while (count--) {
		expect_exit(m, reason);
		if (reason == KVM_EXIT_IO)
			sum += m->run->io.port + *((unsigned char *)m->run + m->run->io.data_offset);
		else
			sum += m->run->mmio.phys_addr + m->run->mmio.data[0];
	}
	return now() - start;
}

static unsigned long lifecycle(long count)
{
	unsigned long start = now();

	while (count--) {
		struct machine m = create(halt_guest, sizeof(halt_guest));

		expect_exit(&m, KVM_EXIT_HLT);
		destroy(&m);
	}
	return now() - start;
}

int main(void)
{
	char what[16];
	long count;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	check(kvm, "/dev/kvm");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	while (scanf("%15s %ld", what, &count) == 2) {
		unsigned long took;

		if (!strcmp(what, "pio"))
			took = exits(pio_guest, sizeof(pio_guest), KVM_EXIT_IO, count);
		else if (!strcmp(what, "mmio"))
			took = exits(mmio_guest, sizeof(mmio_guest), KVM_EXIT_MMIO, count);
		else if (!strcmp(what, "save"))
			took = save_rounds(count);
		else if (!strcmp(what, "restore"))
			took = restore_rounds(count);
		else
			took = lifecycle(count);
		printf("%lu\n", took);
		fflush(stdout);
	}
	return 0;
}
