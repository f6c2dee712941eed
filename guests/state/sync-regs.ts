import { asm, defineCases, type DriveContext, type RegisterSet } from "../../mod.ts";

const spec = "KVM API 6.74: KVM_CAP_SYNC_REGS";
const requires = [{ capability: "KVM_CAP_SYNC_REGS", atLeast: 7 }] as const;
const withoutLens = { "sync-regs": "it uses the shared registers itself" };

/** An exit stores the sets that it is asked for, and no other. */
const stored = defineCases(
  "state/sync-regs",
  { "store-regs": "regs", "store-sregs": "sregs", "store-events": "events" } as const,
  (set) => ({
    spec,
    requires,
    withoutLens,
    mode: "long",
    guest: asm`
      mov rbx, 0x123456789
      mov rax, cr4
      or rax, 4
      mov cr4, rax
      out 0x10, al
      hlt
    `,
    drive({ vcpu, run, assertEquals }) {
      vcpu.shared.store([set]);
      run();
      assertEquals("the sets asked for", vcpu.shared.stored, [set]);
      const all: Record<RegisterSet, [shared: unknown, got: unknown]> = {
        regs: [vcpu.shared.regs(), vcpu.regs()],
        sregs: [vcpu.shared.sregs(), vcpu.sregs()],
        events: [vcpu.shared.events(), vcpu.events()],
      };
      assertEquals(set, ...all[set]);
      if (set !== "regs") assertEquals("RBX in the set not asked for", vcpu.shared.regs().rbx, 0n);
      if (set !== "sregs") {
        assertEquals("CR4 in the set not asked for", vcpu.shared.sregs().cr4, 0n);
      }
      vcpu.shared.store([]);
    },
    trace: `
      > store-registers ${set}
      pio out 0x10 u8 0x24
      > store-registers
      hlt
      = rax 0x24
      = rbx 0x123456789
      = rflags 0x6
      = cr4 0x24
    `,
  }),
);

interface Row {
  readonly drive: (context: DriveContext) => void;
  readonly trace: string;
}

const loads: Record<string, Row> = {
  "load-regs": {
    drive: ({ vcpu, run, assertEquals }) => {
      vcpu.shared.setRegs({ ...vcpu.regs(), rbx: 0x1122334455667788n });
      assertEquals("before the entry", vcpu.regs().rbx, 0n);
      assertEquals("dirty", vcpu.shared.dirty, ["regs"]);
      run();
      assertEquals("dirty after the entry", vcpu.shared.dirty, []);
      assertEquals("after the entry", vcpu.regs().rbx, 0x1122334455667788n);
    },
    trace: `
      > share-regs
      pio out 0x10 u8 0x0
      hlt
      = rbx 0x1122334455667788
    `,
  },
  "load-sregs": {
    drive: ({ vcpu, run }) => {
      vcpu.shared.setSregs({ ...vcpu.sregs(), cr2: 0x123456789000n });
      run();
    },
    trace: `
      > share-sregs
      pio out 0x10 u8 0x0
      hlt
      = cr2 0x123456789000
    `,
  },
  "load-events": {
    drive: ({ vcpu, run }) => {
      const events = vcpu.events();
      vcpu.shared.setEvents({ ...events, nmi: { ...events.nmi, masked: 1 } });
      run();
    },
    trace: `
      > share-events
      pio out 0x10 u8 0x0
      hlt
      = nmi.masked 0x1
    `,
  },
  // Values in the area that nobody marked as set mean nothing.
  "not-dirty": {
    drive: ({ vcpu, run }) => {
      vcpu.shared.setRegs({ ...vcpu.regs(), rbx: 0x1122334455667788n });
      vcpu.shared.drop();
      run();
    },
    trace: `
      > share-regs
      pio out 0x10 u8 0x0
      hlt
    `,
  },
  "sregs-refused": {
    drive: ({ vcpu, run, attempt, assertEquals }) => {
      const before = vcpu.sregs();
      vcpu.shared.setSregs({ ...before, cr0: before.cr0 & ~1n });
      attempt(run);
      vcpu.shared.drop();
      assertEquals("the registers after the refusal", vcpu.sregs(), before);
      run();
    },
    trace: `
      > share-sregs
      > run -> EINVAL
      pio out 0x10 u8 0x0
      hlt
    `,
  },
  "events-refused": {
    drive: ({ vcpu, run, attempt, assertEquals }) => {
      const before = vcpu.events();
      vcpu.shared.setEvents({ ...before, flags: 0x80000000 });
      attempt(run);
      vcpu.shared.drop();
      assertEquals("the events after the refusal", vcpu.events(), before);
      run();
    },
    trace: `
      > share-events
      > run -> EINVAL
      pio out 0x10 u8 0x0
      hlt
    `,
  },
};

/** An entry loads the sets that are marked as set, once, and refuses what the ioctls would. */
const loaded = defineCases("state/sync-regs", loads, ({ drive, trace }) => ({
  spec,
  requires,
  withoutLens,
  mode: "long",
  guest: asm`
    out 0x10, al
    hlt
  `,
  drive,
  trace,
}));

export default [...stored, ...loaded];
