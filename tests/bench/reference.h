/* What the parts of the C side of the benchmarks share. */
#include <linux/kvm.h>
#include <stddef.h>

#define RAM_SIZE 0x20000
#define CODE 0x8000

extern int kvm, run_size;

struct machine {
	int vm, vcpu;
	unsigned char *ram;
	struct kvm_run *run;
};

void check(long result, const char *what);
unsigned long now(void);
void set_signal_mask(int vcpu);
void expect_exit(struct machine *m, unsigned reason);
void destroy(struct machine *m);

unsigned long save_rounds(long count);
unsigned long restore_rounds(long count);
