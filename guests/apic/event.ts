import { asm, defineCases, type Vcpu, type Vm } from "../../mod.ts";
import { type LocalApic, localApics, vectors } from "./_local_apics.ts";

const RUNNABLE = 0, UNINITIALIZED = 1, INIT_RECEIVED = 2;

/** What a message of each delivery mode leaves at the first vCPU and at the second. */
interface Outcome {
  readonly nmi?: readonly number[];
  readonly smi?: readonly number[];
  readonly state?: readonly number[];
  /** CS and its base, RIP of the second. */
  readonly start?: readonly [selector: number, base: bigint];
}

interface Row extends Outcome {
  /** The data of messages to APIC id 1, or to another address. */
  readonly messages: readonly (number | { readonly address: number; readonly data: number })[];
  readonly apics?: readonly LocalApic[];
}

const NMI = 0x400, SMI = 0x200, INIT = 0x500, STARTUP = 0x600;
const two: LocalApic[] = [{ vcpu: 0, logical: 1 }, { vcpu: 1, logical: 2 }];

const rows: Record<string, Row> = {
  nmi: { messages: [NMI], nmi: [0, 1] },
  "nmi-with-vector": { messages: [NMI | 0x51], nmi: [0, 1] },
  "nmi-broadcast": { messages: [{ address: 0xfeeff000, data: NMI }], nmi: [1, 1] },
  "nmi-logical": { messages: [{ address: 0xfee01004, data: NMI }], nmi: [1, 0] },
  "nmi-software-disabled": {
    messages: [NMI],
    apics: two.map((apic) => ({ ...apic, spurious: 0xff })),
    nmi: [0, 1],
  },
  smi: { messages: [SMI], smi: [0, 1] },
  "smi-first": { messages: [{ address: 0xfee00000, data: SMI }], smi: [1, 0] },
  "smi-broadcast": { messages: [{ address: 0xfeeff000, data: SMI }], smi: [1, 1] },
  init: { messages: [INIT], state: [RUNNABLE, INIT_RECEIVED] },
  "init-level": { messages: [INIT | 0xc000], state: [RUNNABLE, INIT_RECEIVED] },
  // The bootstrap processor does not wait for a startup IPI.
  "init-bootstrap": {
    messages: [{ address: 0xfee00000, data: INIT }],
    state: [RUNNABLE, UNINITIALIZED],
  },
  "init-broadcast": {
    messages: [{ address: 0xfeeff000, data: INIT }],
    state: [RUNNABLE, INIT_RECEIVED],
  },
  startup: {
    messages: [INIT, STARTUP | 0x9a],
    state: [RUNNABLE, RUNNABLE],
    start: [0x9a00, 0x9a000n],
  },
  "startup-vector-0": { messages: [INIT, STARTUP], state: [RUNNABLE, RUNNABLE], start: [0, 0n] },
  "startup-vector-255": {
    messages: [INIT, STARTUP | 0xff],
    state: [RUNNABLE, RUNNABLE],
    start: [0xff00, 0xff000n],
  },
  // It is ignored but in the state that INIT leaves.
  "startup-without-init": { messages: [STARTUP | 0x9a], state: [RUNNABLE, UNINITIALIZED] },
  "startup-twice": {
    messages: [INIT, STARTUP | 0x9a, STARTUP | 0x9b],
    state: [RUNNABLE, RUNNABLE],
    start: [0x9a00, 0x9a000n],
  },
  "startup-init-again": {
    messages: [INIT, STARTUP | 0x9a, INIT],
    state: [RUNNABLE, INIT_RECEIVED],
  },
  "startup-for-the-other": {
    messages: [INIT, { address: 0xfee00000, data: STARTUP | 0x9a }],
    state: [RUNNABLE, INIT_RECEIVED],
  },
};

/** A message of delivery mode NMI, SMI, INIT or startup does what it is for, at its destination. */
export default defineCases("apic/event", rows, (row) => ({
  spec: [
    "SDM 3A 10.11.2: message data register format (delivery mode)",
    "SDM 3A 8.4.3: MP initialization protocol (INIT, SIPI)",
    "KVM API 4.31: KVM_GET_VCPU_EVENTS",
    "KVM API 4.38: KVM_GET_MP_STATE",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_SIGNAL_MSI",
    ...(row.smi ? ["KVM_CAP_X86_SMM" as const] : []),
    { capability: "KVM_CAP_MAX_VCPUS", atLeast: 2 },
  ],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    const local = localApics(context, row.apics ?? two);
    using vm = local.vm;
    const { vcpus } = local;
    for (const message of row.messages) {
      send(vm, message);
      // What waits is taken before the state is told.
      vcpus.forEach((vcpu) => vcpu.mpState());
    }
    const [none, states] = [[0, 0], [RUNNABLE, UNINITIALIZED]];
    assertEquals("NMI pending", vcpus.map((vcpu) => vcpu.events().nmi.pending), row.nmi ?? none);
    assertEquals("SMI pending", vcpus.map((vcpu) => vcpu.events().smi.pending), row.smi ?? none);
    assertEquals("states", vcpus.map((vcpu) => vcpu.mpState()), row.state ?? states);
    assertEquals("interrupts", vcpus.map((vcpu) => vectors(vcpu, 0x200)), [[], []]);
    const [selector, base] = row.start ?? [0xf000, 0xffff0000n];
    assertEquals("start", startOf(vcpus[1]!), { selector, base, rip: row.start ? 0n : 0xfff0n });
    assertEquals("start of the other", startOf(vcpus[0]!), {
      selector: 0xf000,
      base: 0xffff0000n,
      rip: 0xfff0n,
    });
  },
  trace: `hlt`,
}));

function send(vm: Vm, message: Row["messages"][number]): void {
  const msi = typeof message === "number" ? { address: 0xfee01000, data: message } : message;
  vm.irq.signalMsi(msi);
}

function startOf(vcpu: Vcpu) {
  const { cs } = vcpu.sregs();
  return { selector: cs.selector, base: cs.base, rip: vcpu.regs().rip };
}
