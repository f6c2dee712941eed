import { assertEquals, assertGreater } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import * as api from "../mod.ts";
import { kvmTest } from "./host.ts";

/** How many calls with bad arguments. */
const CALLS = 100_000;
/** The same calls each time; another seed finds other ones. */
const SEED = 0x4b564d;
/** After so many calls the objects are made anew: KVM lets many things be done once. */
const LIFE = 2_000;

// ---------------------------------------------------------------------------------------------
// Bad values

const numbers = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 8, 24, 0x1000, 0x100000, 0x7fffffff, 0xffffffff, 2 ** 53),
  fc.constantFrom(-1, -0x80000000, 0.5, NaN, Infinity, -Infinity, 2 ** 64, 1e300),
  fc.integer({ min: -0x100000000, max: 0x200000000 }),
);

// None of them is an address where this process has memory: KVM takes some for what it may write.
const bigints = fc.constantFrom(
  0n,
  1n,
  0x1000n,
  0x100000n,
  1n << 32n,
  1n << 52n,
  1n << 63n,
  (1n << 64n) - 1n,
  1n << 64n,
  -1n,
  1n << 200n,
);

const words = fc.constantFrom(
  "",
  "pio",
  "mmio",
  "ioapic",
  "pic-master",
  "read",
  "deny",
  "long-mode",
  "vcpu-id",
  "regs",
  "KVM_CAP_IRQCHIP",
  "KVM_CAP_SPLIT_IRQCHIP",
  "KVM_CAP_DIRTY_LOG_RING",
  "KVM_CAP_X86_USER_SPACE_MSR",
  "__proto__",
  "constructor",
  "toString",
  "\0",
);

const oddities = fc.constantFrom<unknown>(
  undefined,
  null,
  true,
  false,
  Symbol("odd"),
  () => 1,
  new Date(0),
  new Map(),
  new Error("odd"),
  Object.create(null),
);

const buffers = fc.constantFrom(0, 1, 7, 8, 64, 512, 520, 1024, 4096, 8192).map((size) =>
  new Uint8Array(size)
);

/** Objects that are used up. */
const corpses = fc.constantFrom("event", "mapping", "buffer").map((kind) => {
  if (kind === "buffer") {
    const bytes = new Uint8Array(8);
    bytes.buffer.transfer(0);
    return bytes;
  }
  const used = kind === "event" ? new api.EventFd() : api.Mapping.anonymous(api.PAGE_SIZE);
  used[Symbol.dispose]();
  return used;
});

const scalars = fc.oneof(numbers, bigints, words, oddities);

/** Members that the API's options and structures have. */
const members = fc.constantFrom(
  ..."slot guestAddress size memory offset flags file fileOffset space address match gsi chip pin msi"
    .split(" "),
  ..."data sint vcpu port priority access base count allowed ranges otherwise action events masked"
    .split(" "),
  ..."group attribute index function eax clock realtime singleStep hardwareBreakpoints addresses dr7"
    .split(" "),
  ..."inject rip rflags rax cs ds cr0 efer exception interrupt nmi smi mp_state bank status format"
    .split(" "),
  ..."vcpus slots memories capabilities coalesced type contents long_mode vector channels irr"
    .split(" "),
);

const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalars,
    buffers,
    corpses,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(members, tie("value"), { maxKeys: 8, noNullPrototype: true }),
  ),
})).value;

const argumentLists = fc.array(values, { maxLength: 4 });

// ---------------------------------------------------------------------------------------------
// What is called

/** The objects whose members are called. */
class World implements Disposable {
  readonly kvm = api.Kvm.open();
  readonly vm = this.kvm.createVm();
  readonly ram = this.vm.memory.addRam(0, 0x4000);
  readonly vcpu = this.#vcpu();
  readonly device = this.#device();
  readonly statistics = this.vm.statistics();
  readonly mapping = api.Mapping.anonymous(api.PAGE_SIZE);
  readonly event = new api.EventFd();
  readonly watchdog = new api.Watchdog();

  /** A vCPU whose guest asks for values as long as its registers lead it there. */
  #vcpu(): api.Vcpu {
    this.ram.bytes.set(
      api.assemble("in al, 0x10\nmov [0xf000], al\nmov al, [0xf000]", {
        bits: 16,
      }).bytes,
    );
    const vcpu = this.vm.createVcpu();
    const sregs = vcpu.sregs();
    vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
    vcpu.setRegs({ ...vcpu.regs(), rip: 0n });
    return vcpu;
  }

  #device(): api.Device | undefined {
    const { DEVICE_TYPE_VFIO } = api;
    return this.vm.hasDeviceType(DEVICE_TYPE_VFIO)
      ? this.vm.createDevice(DEVICE_TYPE_VFIO)
      : undefined;
  }

  /** Whose members are called, by a name for the message. */
  targets(): [name: string, object: object][] {
    const { vm, vcpu } = this;
    const all: [string, object | undefined][] = [
      ["Kvm", this.kvm],
      ["Vm", vm],
      ["GuestMemory", vm.memory],
      ["Interrupts", vm.irq],
      ["IoEvents", vm.events],
      ["Xen", vm.xen],
      ["HyperV", vm.hyperv],
      ["Encryption", vm.encryption],
      ["Vcpu", vcpu],
      ["SharedRegisters", vcpu.shared],
      ["XenVcpu", vcpu.xen],
      ["Device", this.device],
      ["Statistics", this.statistics],
      ["Mapping", this.mapping],
      ["EventFd", this.event],
    ];
    return all.filter((target): target is [string, object] => target[1] !== undefined);
  }

  [Symbol.dispose](): void {
    this.watchdog[Symbol.dispose]();
    this.event[Symbol.dispose]();
    this.mapping[Symbol.dispose]();
    this.statistics[Symbol.dispose]();
    this.device?.[Symbol.dispose]();
    this.vm[Symbol.dispose]();
    this.kvm[Symbol.dispose]();
  }
}

interface Member {
  readonly owner: string;
  readonly name: string;
  readonly use: "call" | "get" | "set";
}

/** Members that hand a VM's descriptor over to another VM: what they are given is not checked. */
const handover = /^(renew|release|remap|restoreState|renewSlots|renewEventFds|carryDirtyLogs)$/;

function membersOf(target: [owner: string, object: object]): Member[] {
  const [owner, object] = target;
  const found: Member[] = [];
  let prototype = Object.getPrototypeOf(object);
  for (; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    const descriptors = Object.getOwnPropertyDescriptors(prototype);
    for (const [name, { get, set, value }] of Object.entries(descriptors)) {
      if (name === "constructor" || handover.test(name)) continue;
      if (typeof value === "function") found.push({ owner, name, use: "call" });
      if (get !== undefined) found.push({ owner, name, use: "get" });
      if (set !== undefined) found.push({ owner, name, use: "set" });
    }
  }
  return found;
}

/** The static methods, which need no object. */
const statics: readonly Member[] = [
  { owner: "static Kvm", name: "open", use: "call" },
  { owner: "static Mapping", name: "anonymous", use: "call" },
  { owner: "static Mapping", name: "shared", use: "call" },
  { owner: "static Mapping", name: "ofFd", use: "call" },
];

type Callable = Record<string, unknown>;

function use(world: World, { owner, name, use }: Member, args: unknown[]): unknown {
  const target = owner.startsWith("static ")
    ? (api as Callable)[owner.slice("static ".length)] as Callable
    : Object.fromEntries(world.targets())[owner] as Callable;
  if (use === "get") return target[name];
  if (use === "set") return target[name] = args[0];
  // A thread for each good id would be no bad argument, and slow.
  if (name === "startVcpu" && Number.isInteger(args[0])) args[0] = -1;
  return (target[name] as (...args: unknown[]) => unknown).apply(target, args);
}

/** Every class of errors that the API exports. */
const errors = (Object.values(api) as unknown[]).filter((value): value is typeof Error =>
  typeof value === "function" && value.prototype instanceof Error
);

/** Does it, and gives what is wrong with what was thrown. */
function outcome(world: World, member: Member, args: unknown[]): string | undefined {
  // Zeroes are a program that runs for ever.
  const enters = member.owner === "Vcpu" && /^(run|complete|save)$/.test(member.name);
  if (enters) world.watchdog.arm(5);
  try {
    const result = use(world, member, args);
    if (result instanceof Promise) result.then(discard, () => {});
    else discard(result, world);
  } catch (error) {
    if (errors.some((known) => error instanceof known)) return undefined;
    return String(error instanceof Error ? error.stack : error);
  } finally {
    if (enters) world.watchdog.disarm();
  }
}

/** What a call made is closed again. */
function discard(result: unknown, world?: World): void {
  const own: unknown[] = world === undefined ? [] : [world.vcpu, ...Object.values(world)];
  if (typeof result !== "object" || result === null || own.includes(result)) return;
  if (Symbol.dispose in result) (result as Disposable)[Symbol.dispose]();
}

kvmTest(`${CALLS} calls with bad arguments end in a result or in an error of the API`, () => {
  let world = new World();
  try {
    const all = [...world.targets().flatMap(membersOf), ...statics];
    assertGreater(all.length, 150);
    const seen = new Set<Member>();
    let calls = 0;
    let thrown = 0;
    fc.assert(
      fc.property(fc.constantFrom(...all), argumentLists, (member, args) => {
        if (++calls % LIFE === 0) {
          world[Symbol.dispose]();
          world = new World();
        }
        seen.add(member);
        const wrong = outcome(world, member, args);
        if (wrong === undefined) return;
        thrown++;
        throw new Error(`${member.owner}.${member.name} (${member.use}): ${wrong}`);
      }),
      { numRuns: CALLS, seed: SEED, endOnFailure: true },
    );
    assertEquals([thrown, all.length - seen.size], [0, 0]);
  } finally {
    world[Symbol.dispose]();
  }
});

kvmTest("an argument of the wrong kind is named with what was given instead", () => {
  using kvm = api.Kvm.open();
  using vm = kvm.createVm();
  const calls: [call: () => unknown, message: string][] = [
    [() => vm.createVcpu(1n as unknown as number), "the id of a vCPU is 1n: give a whole number"],
    [() => vm.createVcpu(-1), "the id of a vCPU is -1"],
    [() => kvm.createVm(0.5), "the type of a VM is 0.5"],
    [() => kvm.msrIndexList(-1), "the room is -1"],
    [() => kvm.checkExtension("KVM_CAP_NONE" as "KVM_CAP_HLT"), 'the capability is "KVM_CAP_NONE"'],
    [() => vm.setTssAddress(-1), "the argument of KVM_SET_TSS_ADDR is -1"],
    [() => vm.irq.setLine(4, 2 as 1), "the level of a line is 2"],
    [() => vm.irq.setRouting([{ gsi: 1 } as api.Route]), "a route to nothing"],
    [() => vm.irq.assignEventFd({} as api.EventFd, 1), "the event is an object: give an EventFd"],
    [
      () => vm.memory.setSlot({ slot: 1, guestAddress: -1n, size: 0x1000 }),
      "the address of a slot is -1n",
    ],
    [() => vm.memory.bytes(0, 1.5), "a size is 1.5"],
    [() => vm.events.coalesce({ space: "ram" as "pio", address: 0, size: 1 }), 'space is "ram"'],
    [
      () => vm.irq.setChipState("ioapic", new Uint8Array(511)),
      "the state has 511 bytes: give at least 512",
    ],
  ];
  for (const [call, message] of calls) {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    const told = error instanceof api.ArgumentError && error.message.includes(message);
    assertEquals(told ? message : String(error), message);
  }
});
