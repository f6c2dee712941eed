import { asm, defineCases, type DriveContext, KvmError } from "../../mod.ts";
import {
  afterExits,
  hypervisor,
  machine,
  prepare,
  recorded,
  requires,
  VMCS,
  VMXON,
} from "./_vmx.ts";

/** Of struct kvm_vmx_nested_state_hdr, behind the 8 bytes of the head. */
const Header = { vmxon: 0, vmcs: 8, smm: 16 };
/** KVM_STATE_NESTED_GUEST_MODE, KVM_STATE_NESTED_RUN_PENDING, KVM_STATE_NESTED_EVMCS. */
const GUEST_MODE = 1, RUN_PENDING = 2, EVMCS = 4;
/** Bytes before the VMCS, and of it. */
const HEADER = 120, PAGE = 4096;
const none = 0xffffffffffffffffn;

type State = ReturnType<DriveContext["vcpu"]["nestedState"]>;

interface Row {
  /** The state that is set in place of what was got, while the nested guest runs. */
  change: (state: State) => State;
  errno?: "EINVAL";
}

function changed(state: State, offset: number, value: bigint): State {
  const data = state.data.slice();
  new DataView(data.buffer).setBigUint64(offset, value, true);
  return { ...state, data };
}
const flagged = (state: State, flags: number): State => ({ ...state, flags: state.flags | flags });

const rows: Record<string, Row> = {
  same: { change: (state) => state },
  "format-of-svm": { change: (state) => ({ ...state, format: 1 }), errno: "EINVAL" },
  "vmxon-unaligned": {
    change: (state) => changed(state, Header.vmxon, BigInt(VMXON) + 8n),
    errno: "EINVAL",
  },
  "vmxon-beyond-physical": {
    change: (state) => changed(state, Header.vmxon, 1n << 63n),
    errno: "EINVAL",
  },
  // Without VMXON nothing else is there.
  "no-vmxon-with-vmcs": { change: (state) => changed(state, Header.vmxon, none), errno: "EINVAL" },
  "no-vmxon-in-guest": {
    change: (state) => changed(changed(state, Header.vmxon, none), Header.vmcs, none),
    errno: "EINVAL",
  },
  "smm-flags-outside-smm": { change: (state) => changed(state, Header.smm, 2n), errno: "EINVAL" },
  "smm-flags-unknown": { change: (state) => changed(state, Header.smm, 4n), errno: "EINVAL" },
  "smm-guest-mode": { change: (state) => changed(state, Header.smm, 3n), errno: "EINVAL" },
  "header-flags-unknown": {
    change: (state) => changed(state, Header.smm, 2n << 32n),
    errno: "EINVAL",
  },
  "flags-unknown": { change: (state) => flagged(state, 0x40), errno: "EINVAL" },
  "enlightened-not-enabled": { change: (state) => flagged(state, EVMCS), errno: "EINVAL" },
  "run-pending-outside-guest": {
    change: (state) => ({ ...state, flags: RUN_PENDING }),
    errno: "EINVAL",
  },
};
/** Refusals that come when the old state is gone already: the vCPU is left outside of the guest. */
const late: Record<string, (state: State) => State> = {
  "vmcs-is-vmxon": (state) => changed(state, Header.vmcs, BigInt(VMXON)),
  "vmcs-unaligned": (state) => changed(state, Header.vmcs, BigInt(VMCS) + 8n),
  "vmcs-none-in-guest": (state) => changed(state, Header.vmcs, none),
  "vmcs-missing-in-guest": (state) => ({ ...state, data: state.data.slice(0, HEADER) }),
  revision: (state) => {
    const data = state.data.slice();
    data[HEADER] ^= 1;
    return { ...state, data };
  },
};

function set(context: DriveContext, state: State): string {
  try {
    context.vcpu.setNestedState(state);
    return "none";
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return error.code;
  }
}

const spec = [
  "KVM API 4.114: KVM_GET_NESTED_STATE",
  "KVM API 4.115: KVM_SET_NESTED_STATE",
  "arch/x86/kvm/vmx/nested.c: vmx_set_nested_state, where the document names no errno",
];

/** The host gets and sets what a hypervisor has, in the middle of its guest, and the guest goes on. */
const live = defineCases("nested-vmx/nested-state", rows, ({ change, errno }) => ({
  spec,
  mode: "long",
  requires,
  machine,
  guest: asm`
    out 0x11, al
    ${hypervisor()}
    nested:
    mov ebx, 0x1234
    out 0x12, al
    at:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    const { vm, vcpu, run, assertEquals } = context;
    const { observer } = vm;
    const quiet = <Result>(body: () => Result): Result => {
      vm.observer = undefined;
      try {
        return body();
      } finally {
        vm.observer = observer;
      }
    };
    prepare(context);
    run();
    quiet(() => {
      const { flags, data } = vcpu.nestedState();
      const view = new DataView(data.buffer);
      assertEquals("flags before VMXON", flags, 0);
      assertEquals("bytes before VMXON", data.length, HEADER);
      assertEquals("VMXON pointer before it", view.getBigUint64(Header.vmxon, true), none);
      assertEquals("VMCS pointer before it", view.getBigUint64(Header.vmcs, true), none);
    });
    run();
    // The OUT is completed before the state is looked at.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    quiet(() => {
      const state = vcpu.nestedState();
      const view = new DataView(state.data.buffer);
      assertEquals("flags in the guest", state.flags, GUEST_MODE);
      assertEquals("bytes in the guest", state.data.length, HEADER + PAGE);
      assertEquals("VMXON pointer", view.getBigUint64(Header.vmxon, true), BigInt(VMXON));
      assertEquals("VMCS pointer", view.getBigUint64(Header.vmcs, true), BigInt(VMCS));
      assertEquals("the answer", set(context, change(state)), errno ?? "none");
      assertEquals("flags behind it", vcpu.nestedState().flags, GUEST_MODE);
    });
    run();
  },
  trace: ({ at }) => `
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    hlt
    = rbx 0x1234
    ${recorded([{ exitReason: 18, instructionLength: 3, guestRip: at }])}
    ${afterExits}
  `,
}));

const refused = defineCases("nested-vmx/nested-state", late, (change) => ({
  spec,
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${hypervisor()}
    nested:
    out 0x12, al
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    const { vm, vcpu, run, assertEquals } = context;
    prepare(context);
    run();
    const { observer } = vm;
    vm.observer = undefined;
    const state = vcpu.nestedState();
    assertEquals("the answer", set(context, change(state)), "EINVAL");
    assertEquals("flags behind it", vcpu.nestedState().flags, 0);
    // What was got puts it back.
    assertEquals("the answer to the state itself", set(context, state), "none");
    vm.observer = observer;
  },
  trace: `
    pio out 0x12 u8 0x0
    = rsp *
    = gdt.limit *
    = idt.limit *
    = rflags *
    = mem 0xa000 u64 [* * * * * * * *]
  `,
}));

export default [...live, ...refused];
