/**
 * Lenses: what a host does between two exits that a guest must not notice. A case's trace is the
 * same under each.
 */
import type { Exit } from "../kvm/exit.ts";
import type { Kvm } from "../kvm/kvm.ts";
import type { RegisterSet } from "../kvm/shared_registers.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { Vm } from "../kvm/vm.ts";
import type { Registers, SystemRegisters, VcpuEvents } from "../x86/state.ts";
import { CaseFailure } from "./drive.ts";

/**
 * `restore`: before each entry the whole VM is saved, destroyed, and restored into a new one.
 * `sync-regs`: registers and events reach KVM through the shared area only, and come back there.
 */
export type LensName = "restore" | "sync-regs";

/** Every lens. */
export const lensNames: readonly LensName[] = ["restore", "sync-regs"];

/** Whether there is a lens of that name. */
export function isLensName(name: unknown): name is LensName {
  return lensNames.some((known) => known === name);
}

/** How a guest is entered under a lens. */
export interface Lens {
  /** Enters the guest once. */
  enter(vcpu: Vcpu): Exit;
  /** Does at the end of a case, where nothing is pending, what it does between two exits. */
  end(vcpu: Vcpu): void;
}

/** Makes a lens for one run of a case. */
export function makeLens(name: LensName, kvm: Kvm, vm: Vm): Lens {
  return name === "restore" ? new RestoreLens(kvm, vm) : new SyncRegistersLens(vm);
}

/** The exits that leave nothing to complete, and the vCPU in a state that is promised. */
const settled: ReadonlySet<string> = new Set(["hlt", "debug", "intr", "irq-window", "set-tpr"]);

class RestoreLens implements Lens {
  readonly #kvm: Kvm;
  readonly #vm: Vm;
  #last: Exit | undefined;

  constructor(kvm: Kvm, vm: Vm) {
    this.#kvm = kvm;
    this.#vm = vm;
  }

  enter(vcpu: Vcpu): Exit {
    // The rest of an access that comes in parts: nothing is whole before its last one.
    return this.#last = vcpu.complete() ?? this.#enterRenewed(vcpu);
  }

  #enterRenewed(vcpu: Vcpu): Exit {
    this.#kvm.renew(this.#vm);
    return vcpu.run();
  }

  end(): void {
    if (this.#last !== undefined && settled.has(this.#last.reason)) this.#kvm.renew(this.#vm);
  }
}

const allSets: readonly RegisterSet[] = ["regs", "sregs", "events"];

/** What the shared area carries. */
interface SharedState {
  readonly regs: Registers;
  readonly sregs: SystemRegisters;
  readonly events: VcpuEvents;
}

/** Registers that no case has: an entry that does not load the shared ones runs nowhere. */
const scrambled: Registers = {
  rax: 0xdead0000n,
  rbx: 0xdead0001n,
  rcx: 0xdead0002n,
  rdx: 0xdead0003n,
  rsi: 0xdead0004n,
  rdi: 0xdead0005n,
  rsp: 0xdead0006n,
  rbp: 0xdead0007n,
  r8: 0xdead0008n,
  r9: 0xdead0009n,
  r10: 0xdead000an,
  r11: 0xdead000bn,
  r12: 0xdead000cn,
  r13: 0xdead000dn,
  r14: 0xdead000en,
  r15: 0xdead000fn,
  rip: 0xdead0010n,
  rflags: 0x2n,
};

class SyncRegistersLens implements Lens {
  readonly #vm: Vm;

  constructor(vm: Vm) {
    this.#vm = vm;
  }

  enter(vcpu: Vcpu): Exit {
    // Registers that are set while an access is pending may be lost: nothing is whole before.
    return vcpu.complete() ?? this.#unobserved(() => this.#vm.withWholeEvents(() => enter(vcpu)));
  }

  end(): void {}

  /** What the lens does is not what the case's host does. */
  #unobserved<T>(body: () => T): T {
    const { observer } = this.#vm;
    this.#vm.observer = undefined;
    try {
      return body();
    } finally {
      this.#vm.observer = observer;
    }
  }
}

function enter(vcpu: Vcpu): Exit {
  const before = { regs: vcpu.regs(), sregs: vcpu.sregs(), events: vcpu.events() };
  vcpu.setRegs(scrambled);
  const { shared } = vcpu;
  shared.store(allSets);
  shared.setRegs(before.regs);
  shared.setSregs(before.sregs);
  shared.setEvents(before.events);
  try {
    return vcpu.run();
  } finally {
    // KVM_RUN loads nothing when it fails before: the vCPU is as it was.
    if (shared.dirty.length > 0) putBack(vcpu, before);
    else compare(vcpu);
    shared.store([]);
  }
}

function putBack(vcpu: Vcpu, { regs, sregs, events }: SharedState): void {
  vcpu.shared.drop();
  vcpu.setRegs(regs);
  vcpu.setSregs(sregs);
  vcpu.setEvents(events);
}

/** Fails the case unless the exit stored what the ioctls give. */
function compare(vcpu: Vcpu): void {
  const { shared } = vcpu;
  const pairs: [what: string, stored: object, got: object][] = [
    ["regs", shared.regs(), vcpu.regs()],
    ["sregs", withoutBitmap(shared.sregs()), withoutBitmap(vcpu.sregs())],
    ["events", shared.events(), vcpu.events()],
  ];
  for (const [what, stored, got] of pairs) {
    const [text, expected] = [show(stored), show(got)];
    if (text === expected) continue;
    throw new CaseFailure(`the shared area has ${what} ${text}, KVM_GET_* gives ${expected}`);
  }
}

/** KVM never clears a bit of the shared `interrupt_bitmap`; the events tell the same. */
function withoutBitmap({ interrupt_bitmap: _, ...sregs }: SystemRegisters): object {
  return sregs;
}

function show(value: object): string {
  return JSON.stringify(
    value,
    (_, member) => typeof member === "bigint" ? `0x${member.toString(16)}` : member,
  );
}
