import { asm, defineCase, ioctl, KvmError } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** Bytes of struct kvm_nested_state without data: its head and the vendor's header. */
const SIZE = 128;
/** KVM_STATE_NESTED_RUN_PENDING; KVM_STATE_NESTED_GIF_SET. */
const RUN_PENDING = 2;
const GIF = 0x100;

/** A vCPU that has run no guest of its own has no nested state but its head, and takes that back. */
export default defineCase({
  id: "system/nested-state",
  spec: [
    "KVM API 4.114: KVM_GET_NESTED_STATE (E2BIG, the size required is written back)",
    "KVM API 4.115: KVM_SET_NESTED_STATE",
    "arch/x86/kvm/x86.c: KVM_SET_NESTED_STATE (6.1, 6.12), where the document names no errno",
  ],
  mode: "long",
  requires: ["KVM_CAP_NESTED_STATE", { backend: ["vmx", "svm"] }],
  guest: asm`
    out 0x10, al
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    run();
    const { observer } = vm;
    vm.observer = undefined;
    const state = vcpu.nestedState();
    const set = (change: Partial<typeof state>) =>
      refusal(() => vcpu.setNestedState({ ...state, ...change }));
    const answers = {
      "the same": set({}),
      "an unknown flag": set({ flags: state.flags | 0x8000 }),
      "a run pending outside of a guest": set({ flags: state.flags | RUN_PENDING }),
      "the other vendor's format": set({ format: 1 - state.format }),
      "no format": set({ format: 7 }),
    };
    const short = new DataView(new ArrayBuffer(SIZE));
    short.setUint32(4, 8, true);
    let code: string | undefined;
    try {
      ioctl(vcpu, "KVM_GET_NESTED_STATE", short);
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      code = error.code;
    }
    vm.observer = observer;
    assertEquals("bytes behind the head", state.data.length, SIZE - 8);
    // Format 0 is VMX's, 1 SVM's, where the global interrupt flag is set.
    assertEquals("flags", state.flags, state.format === 1 ? GIF : 0);
    assertEquals("answers", answers, {
      "the same": "none",
      "an unknown flag": "EINVAL",
      "a run pending outside of a guest": "EINVAL",
      "the other vendor's format": "EINVAL",
      "no format": "EINVAL",
    });
    assertEquals("with too little room", [code, short.getUint32(4, true)], ["E2BIG", SIZE]);
  },
  trace: `
    pio out 0x10 u8 0x0
    hlt
  `,
});
