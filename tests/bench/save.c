/*
 * Save and restore in C: the ioctls of Vm.save and Kvm.restore, in their order, for a VM with an
 * in-kernel interrupt controller and one vCPU.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <errno.h>
#include <unistd.h>
#include "reference.h"

#define CPUID_LIMIT 256
#define MSR_LIMIT 255

struct saved {
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	struct kvm_sregs2 sregs2;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debug;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct kvm_irqchip chips[3];
	struct kvm_clock_data clock;
	__u64 tsc_offset;
	int khz;
	unsigned char *xsave, *nested, *ram, *shared;
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[CPUID_LIMIT]; } cpuid;
	struct { struct kvm_msrs head; struct kvm_msr_entry entries[MSR_LIMIT]; } msrs;
};

static struct saved saved;
static int xsave_size, nested_size;

static void ask(int fd, unsigned long request, void *argument, const char *what)
{
	check(ioctl(fd, request, argument), what);
}

static void toggle(int vm, int on)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { on } };

	ask(vm, KVM_ENABLE_CAP, &cap, "KVM_CAP_EXCEPTION_PAYLOAD");
	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_X86_TRIPLE_FAULT_EVENT) <= 0)
		return;
	cap.cap = KVM_CAP_X86_TRIPLE_FAULT_EVENT;
	ask(vm, KVM_ENABLE_CAP, &cap, "KVM_CAP_X86_TRIPLE_FAULT_EVENT");
}

static struct kvm_device_attr tsc_offset(void)
{
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET };

	attr.addr = (unsigned long)&saved.tsc_offset;
	return attr;
}

/* The MSRs of the list but the TSC, the MTRRs and the machine-check banks, if they can be read. */
static void find_msrs(int vcpu)
{
	static struct { struct kvm_msr_list head; __u32 indices[1024]; } list;
	__u32 wanted[1500], count = 0, i;

	list.head.nmsrs = 1024;
	ask(kvm, KVM_GET_MSR_INDEX_LIST, &list, "KVM_GET_MSR_INDEX_LIST");
	for (i = 0; i < list.head.nmsrs; i++)
		if (list.indices[i] != 0x10)
			wanted[count++] = list.indices[i];
	for (i = 0x200; i < 0x210; i++)
		wanted[count++] = i;
	wanted[count++] = 0x250;
	wanted[count++] = 0x258;
	wanted[count++] = 0x259;
	for (i = 0x268; i < 0x270; i++)
		wanted[count++] = i;
	wanted[count++] = 0x2ff;
	for (i = 0x400; i < 0x480; i++)
		wanted[count++] = i;
	for (i = 0; i < count && saved.msrs.head.nmsrs < MSR_LIMIT; i++) {
		struct { struct kvm_msrs head; struct kvm_msr_entry entry; } one = {
			.head = { .nmsrs = 1 }, .entry = { .index = wanted[i] }
		};

		if (ioctl(vcpu, KVM_GET_MSRS, &one) == 1)
			saved.msrs.entries[saved.msrs.head.nmsrs++].index = wanted[i];
	}
}

static void save(struct machine *m)
{
	struct kvm_device_attr attr = tsc_offset();
	int chip;

	m->run->immediate_exit = 1;
	if (ioctl(m->vcpu, KVM_RUN, 0) != -1 || errno != EINTR)
		exit(1);
	m->run->immediate_exit = 0;
	toggle(m->vm, 1);
	memcpy(saved.shared, m->run, sizeof(struct kvm_run));
	ask(m->vcpu, KVM_GET_MP_STATE, &saved.mp, "KVM_GET_MP_STATE");
	ask(m->vcpu, KVM_GET_REGS, &saved.regs, "KVM_GET_REGS");
	ask(m->vcpu, KVM_GET_SREGS2, &saved.sregs2, "KVM_GET_SREGS2");
	ask(m->vcpu, KVM_GET_XSAVE2, saved.xsave, "KVM_GET_XSAVE2");
	ask(m->vcpu, KVM_GET_XCRS, &saved.xcrs, "KVM_GET_XCRS");
	ask(m->vcpu, KVM_GET_DEBUGREGS, &saved.debug, "KVM_GET_DEBUGREGS");
	ask(m->vcpu, KVM_GET_LAPIC, &saved.lapic, "KVM_GET_LAPIC");
	if (nested_size > 0) {
		((struct kvm_nested_state *)saved.nested)->size = nested_size;
		ask(m->vcpu, KVM_GET_NESTED_STATE, saved.nested, "KVM_GET_NESTED_STATE");
	}
	ask(m->vcpu, KVM_GET_MSRS, &saved.msrs, "KVM_GET_MSRS");
	ask(m->vcpu, KVM_GET_DEVICE_ATTR, &attr, "KVM_VCPU_TSC_OFFSET");
	saved.khz = ioctl(m->vcpu, KVM_GET_TSC_KHZ, 0);
	saved.cpuid.head.nent = CPUID_LIMIT;
	ask(m->vcpu, KVM_GET_CPUID2, &saved.cpuid, "KVM_GET_CPUID2");
	ask(m->vcpu, KVM_GET_VCPU_EVENTS, &saved.events, "KVM_GET_VCPU_EVENTS");
	toggle(m->vm, 0);
	for (chip = 0; chip < 3; chip++) {
		saved.chips[chip].chip_id = chip;
		ask(m->vm, KVM_GET_IRQCHIP, &saved.chips[chip], "KVM_GET_IRQCHIP");
	}
	ask(m->vm, KVM_GET_CLOCK, &saved.clock, "KVM_GET_CLOCK");
	memcpy(saved.ram, m->ram, RAM_SIZE);
}

static struct machine build(void)
{
	struct machine m;
	struct kvm_userspace_memory_region region = { .memory_size = RAM_SIZE };

	m.vm = ioctl(kvm, KVM_CREATE_VM, 0);
	check(m.vm, "KVM_CREATE_VM");
	check(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	m.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	region.userspace_addr = (unsigned long)m.ram;
	ask(m.vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
	m.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 0);
	check(m.vcpu, "KVM_CREATE_VCPU");
	set_signal_mask(m.vcpu);
	m.run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
	return m;
}

static struct machine restore(void)
{
	struct machine m = build();
	struct kvm_device_attr attr = tsc_offset();
	struct kvm_clock_data clock = saved.clock;
	int chip;

	memcpy(m.ram, saved.ram, RAM_SIZE);
	clock.flags &= KVM_CLOCK_REALTIME;
	ask(m.vm, KVM_SET_CLOCK, &clock, "KVM_SET_CLOCK");
	ask(m.vm, KVM_GET_CLOCK, &clock, "KVM_GET_CLOCK");
	toggle(m.vm, 1);
	if (ioctl(m.vcpu, KVM_GET_TSC_KHZ, 0) != saved.khz)
		exit(1);
	ask(m.vcpu, KVM_SET_CPUID2, &saved.cpuid, "KVM_SET_CPUID2");
	ask(m.vcpu, KVM_SET_SREGS2, &saved.sregs2, "KVM_SET_SREGS2");
	if (nested_size > 0)
		ask(m.vcpu, KVM_SET_NESTED_STATE, saved.nested, "KVM_SET_NESTED_STATE");
	ask(m.vcpu, KVM_SET_XCRS, &saved.xcrs, "KVM_SET_XCRS");
	ask(m.vcpu, KVM_SET_XSAVE, saved.xsave, "KVM_SET_XSAVE");
	ask(m.vcpu, KVM_SET_LAPIC, &saved.lapic, "KVM_SET_LAPIC");
	ask(m.vcpu, KVM_SET_DEVICE_ATTR, &attr, "KVM_VCPU_TSC_OFFSET");
	ask(m.vcpu, KVM_SET_MSRS, &saved.msrs, "KVM_SET_MSRS");
	ask(m.vcpu, KVM_SET_DEBUGREGS, &saved.debug, "KVM_SET_DEBUGREGS");
	ask(m.vcpu, KVM_SET_REGS, &saved.regs, "KVM_SET_REGS");
	ask(m.vcpu, KVM_SET_VCPU_EVENTS, &saved.events, "KVM_SET_VCPU_EVENTS");
	ask(m.vcpu, KVM_SET_MP_STATE, &saved.mp, "KVM_SET_MP_STATE");
	memcpy(m.run, saved.shared, sizeof(struct kvm_run));
	toggle(m.vm, 0);
	for (chip = 0; chip < 3; chip++)
		ask(m.vm, KVM_SET_IRQCHIP, &saved.chips[chip], "KVM_SET_IRQCHIP");
	return m;
}

/* A VM with an interrupt controller that stands behind its first exit. */
static struct machine *prepared(void)
{
	/* out 0x10, al; jmp back */
	static const unsigned char guest[] = { 0xe6, 0x10, 0xeb, 0xfc };
	static struct machine m;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (m.run)
		return &m;
	xsave_size = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
	nested_size = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE);
	saved.xsave = calloc(1, xsave_size);
	saved.nested = calloc(1, nested_size + 1);
	saved.ram = malloc(RAM_SIZE);
	saved.shared = malloc(sizeof(struct kvm_run));
	m = build();
	memcpy(m.ram + CODE, guest, sizeof(guest));
	saved.cpuid.head.nent = CPUID_LIMIT;
	ask(kvm, KVM_GET_SUPPORTED_CPUID, &saved.cpuid, "KVM_GET_SUPPORTED_CPUID");
	ask(m.vcpu, KVM_SET_CPUID2, &saved.cpuid, "KVM_SET_CPUID2");
	ask(m.vcpu, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	ask(m.vcpu, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	ask(m.vcpu, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	regs.rip = CODE;
	ask(m.vcpu, KVM_SET_REGS, &regs, "KVM_SET_REGS");
	expect_exit(&m, KVM_EXIT_IO);
	find_msrs(m.vcpu);
	save(&m);
	return &m;
}

unsigned long save_rounds(long count)
{
	struct machine *m = prepared();
	unsigned long start = now();

	while (count--)
		save(m);
	return now() - start;
}

unsigned long restore_rounds(long count)
{
	struct machine *m = prepared();
	unsigned long start = now();

	while (count--) {
		struct machine other;

		save(m);
		other = restore();
		expect_exit(&other, KVM_EXIT_IO);
		destroy(&other);
	}
	return now() - start;
}
