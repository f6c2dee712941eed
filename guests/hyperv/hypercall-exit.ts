import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { identify } from "./_words.ts";

const FAST = 1n << 16n;

/** Input value and parameter, in a register where it is fast. */
const rows: Record<string, { input: bigint; parameter: bigint }> = {
  "post-message": { input: 0x5cn, parameter: 0xb000n },
  // A connection that no eventfd stands for.
  "signal-event": { input: 0x5dn | FAST, parameter: 0x1234n },
  "signal-event-in-memory": { input: 0x5dn, parameter: 0xb000n },
  // A flag number, in bits 47 to 32: KVM has no use for it.
  "signal-event-with-flag": { input: 0x5dn | FAST, parameter: 0x7_0000_0007n },
};

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Messages, and events of connections that are not KVM's, are for the host, and it answers. */
export default defineCases("hyperv/hypercall-exit", byEachCall(rows), ({ row, call }) => ({
  spec: [
    "KVM API 5: KVM_EXIT_HYPERV (KVM_EXIT_HYPERV_HCALL)",
    "TLFS 3.7: a parameter is an address, or in a register where the call is fast",
    "TLFS 11.11: HvPostMessage, HvSignalEvent",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, "KVM_CAP_HYPERV_SYNIC2", call.requires],
  registers: { r8: 0xc000n },
  ...underHyperv({
    guest: asm`
      ${identify}
      mov qword [0xb000], 0x1234
      mov rcx, ${row.input}
      mov rdx, ${row.parameter}
      ${call.instruction}
      out 0xf4, al
    `,
    trace: `
      > enable hyperv-synic2
      hyperv-hypercall ${hex(row.input)} [${hex(row.parameter)} 0xc000] -> 0x12
      pio out 0xf4 u8 0x12
      = rax 0x12
      = rcx ${hex(row.input)}
      = rdx ${hex(row.parameter)}
      = mem 0xb000 u64 0x1234
    `,
  }, ({ vcpu }) => vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2")),
}));
