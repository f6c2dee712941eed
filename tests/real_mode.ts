/** A VM with a guest in real mode, without the suite around it. */
import { Kvm } from "../src/kvm/kvm.ts";
import type { Vcpu } from "../src/kvm/vcpu.ts";
import type { VcpuThread } from "../src/kvm/vcpu_thread.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { assemble } from "../src/x86/asm/assemble.ts";
import type { Registers, SystemRegisters } from "../src/x86/state.ts";

/** Where the guest's program lies. */
export const ORIGIN = 0x1000;
const RAM_SIZE = 0x10000;

/** A VM with 64 KiB of memory and a program at {@link ORIGIN}; its vCPUs are made by the test. */
export class RealModeVm implements Disposable {
  readonly kvm: Kvm = Kvm.open();
  readonly vm: Vm = this.kvm.createVm();

  constructor(source: string) {
    const { bytes } = assemble(source, { bits: 16, origin: ORIGIN });
    this.vm.memory.addRam(0, RAM_SIZE).bytes.set(bytes, ORIGIN);
  }

  /** A vCPU of the calling thread at the program's first byte. */
  vcpu(id: number = 0, registers: Partial<Registers> = {}): Vcpu {
    const vcpu = this.vm.createVcpu(id);
    if (id !== 0) vcpu.setMpState(0);
    vcpu.setSregs(flat(vcpu.sregs()));
    vcpu.setRegs({ ...vcpu.regs(), rip: BigInt(ORIGIN), ...registers });
    return vcpu;
  }

  /** A vCPU of a thread of its own at the program's first byte. */
  async thread(id: number = 0): Promise<VcpuThread> {
    const thread = await this.vm.startVcpu(id);
    await thread.call("setSregs", flat(await thread.call("sregs")));
    await thread.call("setRegs", { ...await thread.call("regs"), rip: BigInt(ORIGIN) });
    return thread;
  }

  [Symbol.dispose](): void {
    this.vm[Symbol.dispose]();
    this.kvm[Symbol.dispose]();
  }
}

/** Code that starts at linear address 0 instead of the reset vector's. */
function flat(sregs: SystemRegisters): SystemRegisters {
  return { ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } };
}
