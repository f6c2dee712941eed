import { asm, defineCases, type DriveContext, ioctl, KvmError } from "../../mod.ts";
import { refusal } from "../_fresh.ts";
import { complete, completed } from "../smm/_smram.ts";
import { prepared, prepareTables, ROOT } from "./_nested_paging.ts";
import {
  different,
  differentSaved,
  machine,
  report,
  reported,
  requires,
  requiresNestedPaging,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

/** KVM_STATE_NESTED_GUEST_MODE, _RUN_PENDING, _GIF_SET; the format of SVM. */
const [GUEST_MODE, RUN_PENDING, GIF] = [1, 2, 0x100];
/** Where the header's address of the VMCB and the VMCB itself are, behind flags, format and size. */
const [ADDRESS, CONTENT] = [0, 120];

type State = ReturnType<DriveContext["vcpu"]["nestedState"]>;

/** A copy with a 64-bit field of the data changed. */
function changed(state: State, offset: number, value: bigint): State {
  const data = state.data.slice();
  new DataView(data.buffer).setBigUint64(offset, value, true);
  return { ...state, data };
}

const field = (state: State, offset: number) =>
  new DataView(state.data.buffer).getBigUint64(offset, true);

interface Row {
  nestedPaging?: true;
  /** Hypervisor and guest have nothing in common. */
  different?: true;
  act: (context: DriveContext, state: State) => void;
  /** What the guest does behind it. */
  behind?: string;
  exits?: string;
  state?: string;
}

/** What KVM_SET_NESTED_STATE says to a state, and that the guest goes on nevertheless. */
const refused = (change: (state: State) => State, nestedPaging?: true): Row => ({
  nestedPaging,
  act: ({ vcpu, assertEquals }, state) =>
    assertEquals("answer", refusal(() => vcpu.setNestedState(change(state))), "EINVAL"),
});
const refusedField = (offset: number, value: bigint, nestedPaging?: true) =>
  refused((state) => changed(state, offset, value), nestedPaging);
/** The same of a field of the VMCB. */
const refusedInVmcb = (offset: number, value: bigint, nestedPaging?: true) =>
  refusedField(CONTENT + offset, value, nestedPaging);

/** Leaves the guest and comes back to it, as a migration does. */
function restore({ vcpu }: DriveContext, state: State): void {
  const [regs, sregs, events] = [vcpu.regs(), vcpu.sregs(), vcpu.events()];
  vcpu.setNestedState({ ...state, flags: GIF, data: state.data.slice(0, CONTENT) });
  vcpu.setSregs(sregs);
  vcpu.setRegs(regs);
  vcpu.setEvents(events);
  vcpu.setNestedState(state);
}

const rows: Record<string, Row> = {
  get: {
    act: ({ assertEquals, labels }, state) => {
      assertEquals("flags", state.flags, GUEST_MODE | GIF);
      assertEquals("format", state.format, 1);
      assertEquals("bytes", state.data.length, CONTENT + 0x1000);
      const at = (offset: number) => field(state, CONTENT + offset);
      const fields = {
        address: field(state, ADDRESS),
        // The guest's controls.
        exceptions: at(0x8) & 0xffffffffn,
        intercepts: at(0x10),
        ioMap: at(0x40),
        msrMap: at(0x48),
        offset: at(0x50),
        asid: at(0x58) & 0xffffffffn,
        // And the hypervisor's registers.
        cs: at(0x410),
        efer: at(0x4d0),
        cr4: at(0x548),
        cr3: at(0x550),
        cr0: at(0x558),
        rflags: at(0x570),
        rip: at(0x578),
        rsp: at(0x5d8),
        rax: at(0x5f8),
      };
      assertEquals("fields", fields, {
        address: BigInt(VMCB),
        exceptions: 0x40n,
        intercepts: 3n,
        ioMap: 0x5000n,
        msrMap: 0x6000n,
        offset: 0x123456789n,
        asid: 7n,
        cs: 0xffffffff_0a9b_0028n,
        efer: 0x1d00n,
        cr4: 0x20n,
        cr3: 0x10000n,
        cr0: 0x80010031n,
        rflags: 0x46n,
        rip: labels.get("exited"),
        rsp: 0x8000n,
        rax: BigInt(VMCB),
      });
    },
  },
  // More room than is told: nothing may be written there.
  "get-too-small": {
    act: ({ vcpu, assertEquals }) => {
      const view = new DataView(new Uint8Array(0x1080).fill(0xaa).buffer);
      view.setUint32(4, 128, true);
      let code: string | undefined;
      try {
        ioctl(vcpu, "KVM_GET_NESTED_STATE", view);
      } catch (error) {
        if (!(error instanceof KvmError)) throw error;
        code = error.code;
      }
      assertEquals("answer", [code, view.getUint32(4, true)], ["E2BIG", 0x1080]);
      const behind = new Uint8Array(view.buffer, 128);
      assertEquals("bytes written behind", behind.filter((byte) => byte !== 0xaa).length, 0);
    },
  },
  "set-the-same": {
    act: ({ vcpu, assertEquals }, state) => {
      vcpu.setNestedState(state);
      assertEquals("state", vcpu.nestedState(), state);
    },
  },
  restored: {
    act: (context, state) => {
      restore(context, state);
      context.assertEquals("state", context.vcpu.nestedState(), state);
    },
    behind: "inc edi\nout 0x21, al",
    exits: "pio out 0x21 u8 0x77",
    state: "= rdi 0x1",
  },
  "restored-different": {
    different: true,
    act: (context, state) => {
      restore(context, state);
      context.assertEquals("state", context.vcpu.nestedState(), state);
    },
    behind: "inc edi\nout 0x21, al",
    exits: "pio out 0x21 u8 0x77",
    state: `= rdi 0x1\n= dr6 *\n${differentSaved}`,
  },
  // Interrupts wait for GIF, outside of a guest as well.
  "global-interrupt-flag": {
    act: (context, state) => {
      const { vcpu, assertEquals } = context;
      const outside = (flags: number) => {
        vcpu.setNestedState({ ...state, flags, data: state.data.slice(0, CONTENT) });
        assertEquals("flags", vcpu.nestedState().flags, flags);
      };
      const sregs = vcpu.sregs();
      outside(GIF);
      vcpu.setSregs(sregs);
      outside(0);
      outside(GIF);
      restore(context, { ...state, flags: GUEST_MODE });
      assertEquals("flags in the guest", vcpu.nestedState().flags, GUEST_MODE);
      restore(context, state);
    },
    behind: "inc edi",
    state: "= rdi 0x1",
  },
  "restored-nested-paging": {
    nestedPaging: true,
    act: restore,
    // It is linear and guest-physical 0xd000, and the hypervisor's 0x108000.
    behind: "mov edi, [0xd000]\nmov [0xd004], edi",
    state: "= rdi 0x11223344\n= mem 0x108004 u32 0x11223344",
  },
  "restored-in-another-address-space": {
    act: (context, state) => restore(context, changed(state, CONTENT + 0x58, 9n)),
    behind: "inc edi",
    state: "= rdi 0x1",
  },
  "restored-with-another-intercept": {
    // CPUID, bit 18 of the vector at 0xc, beside the exceptions at 8.
    act: (context, state) => restore(context, changed(state, CONTENT + 0x8, 1n << 50n | 0x40n)),
    behind: "cpuid\nout 0xee, al",
    exits: "cpuid",
  },
  // The event that a VMRUN was about to inject.
  "run-pending": {
    act: (context, state) => {
      const pending = changed(state, CONTENT + 0xa8, 0x80000306n);
      restore(context, { ...pending, flags: GUEST_MODE | RUN_PENDING | GIF });
    },
    behind: "out 0xee, al\nhandler:\ninc edi",
    state: "= rdi 0x1\n= mem 0x7bd8 u64 [* 0x28 * 0x7c00 0x30]",
  },
  "refused-address-unaligned": refusedField(ADDRESS, BigInt(VMCB + 8)),
  "refused-address-beyond": refusedField(ADDRESS, 1n << 52n),
  "refused-unknown-flag": refused((state) => ({ ...state, flags: state.flags | 0x10 })),
  "refused-evmcs-flag": refused((state) => ({ ...state, flags: state.flags | 4 })),
  "refused-format": refused((state) => ({ ...state, format: 0 })),
  "refused-without-vmcb": refused((state) => ({ ...state, data: state.data.slice(0, CONTENT) })),
  "refused-short-by-a-byte": refused((state) => ({ ...state, data: state.data.slice(0, -1) })),
  "refused-vmrun-not-intercepted": refusedInVmcb(0x10, 2n),
  "refused-address-space-0": refusedInVmcb(0x58, 0n),
  "refused-nested-root": refusedInVmcb(0xb0, 1n << 51n, true),
  "refused-io-map": refusedInVmcb(0x40, 1n << 51n),
  "refused-msr-map": refusedInVmcb(0x48, 1n << 51n),
  "refused-host-without-paging": refusedInVmcb(0x558, 0x10031n),
  "refused-host-without-protection": refusedInVmcb(0x558, 0x80010030n),
  "refused-host-in-virtual-8086": refusedInVmcb(0x570, 0x20046n),
  "refused-host-without-svm": refusedInVmcb(0x4d0, 0xd00n),
  "refused-host-cr0-high": refusedInVmcb(0x558, 0x180010031n),
  "refused-host-not-write-through": refusedInVmcb(0x558, 0xa0010031n),
  "refused-host-cr4": refusedInVmcb(0x548, 0x8020n),
  "refused-host-without-pae": refusedInVmcb(0x548, 0n),
  "refused-host-efer": refusedInVmcb(0x4d0, 0x1d02n),
  "refused-host-dr6": refusedInVmcb(0x568, 0x1ffff0ff0n),
  "refused-host-dr7": refusedInVmcb(0x560, 0x100000400n),
};

/** KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE while a hypervisor's guest runs. */
export default defineCases("nested-svm/nested-state", rows, (row) => ({
  spec: [
    "KVM API 4.114: KVM_GET_NESTED_STATE",
    "KVM API 4.115: KVM_SET_NESTED_STATE",
    "APM 2 15.5.1: basic operation (consistency checks)",
  ],
  mode: "long",
  requires: [...row.nestedPaging ? requiresNestedPaging : requires, "KVM_CAP_NESTED_STATE"],
  withoutLens: { restore: "the case is about what the lens does at every exit" },
  machine,
  handlers: { 6: "handler" },
  guest: asm`
    ${run}
    ${report}
    nested:
    out 0x20, al
    behind:
    ${row.behind ?? ""}
    ${row.behind?.includes("handler:") ? "" : "handler:"}
    mov eax, 0
    at:
    vmmcall
  `,
  drive: (context) => {
    const { vm, vcpu, run, write, labels } = context;
    if (row.nestedPaging) {
      prepareTables(context);
      write(ROOT + 0x3000 + 0xd * 8, new Uint8Array(BigUint64Array.of(0x108067n).buffer));
      write(0x108000, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
    }
    write(
      VMCB,
      vmcb({
        rip: labels.get("nested")!,
        rax: 0x77n,
        second: 2,
        exceptions: row.behind?.includes("handler:") ? 0 : 0x40,
        asid: 7,
        portMap: 0x5000,
        msrMap: 0x6000,
        nestedCr3: row.nestedPaging && BigInt(ROOT),
        ...row.different && different,
        other: { ...row.different && different.other, 0x50: 0x123456789n },
      }),
    );
    run();
    complete(context);
    const { observer } = vm;
    vm.observer = undefined;
    row.act(context, vcpu.nestedState());
    vm.observer = observer;
  },
  trace: ({ at, behind }) => `
    ${row.nestedPaging ? prepared : ""}
    pio out 0x20 u8 0x77
    ${completed}
    ${
    row.exits === "cpuid" ? reported(0x72, 0n, 0n, behind) : `
      ${row.exits ?? ""}
      ${reported(0x81, 0n, 0n, at)}
    `
  }
    hlt
    = rflags 0x46
    ${row.state ?? ""}
    ${written}
  `,
}));
