import { asm, defineCases, EventFd } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { FAST, header, identify, repetitions } from "./_words.ts";

interface Row {
  input: bigint;
  /** The parameter, or where it lies. */
  parameter: bigint;
  /** It lies there: connection 0x1234. */
  at?: number;
  status: bigint;
}

const SIGNAL = 0x5dn;
const [SUCCESS, INVALID_INPUT, INVALID_ALIGNMENT] = [0n, 3n, 4n];

const rows: Record<string, Row> = {
  "in-memory": { input: SIGNAL, parameter: 0xb000n, at: 0xb000, status: SUCCESS },
  "end-of-page": { input: SIGNAL, parameter: 0xbff8n, at: 0xbff8, status: SUCCESS },
  "unaligned": { input: SIGNAL, parameter: 0xb004n, at: 0xb004, status: INVALID_ALIGNMENT },
  "unaligned-by-1": { input: SIGNAL, parameter: 0xb001n, at: 0xb001, status: INVALID_ALIGNMENT },
  // An id has 24 bits, a flag 16 from bit 32 on: the others are reserved.
  "reserved-24": { input: SIGNAL | FAST, parameter: 0x1001234n, status: INVALID_INPUT },
  "reserved-31": { input: SIGNAL | FAST, parameter: 0x80001234n, status: INVALID_INPUT },
  "reserved-48": { input: SIGNAL | FAST, parameter: 0x1000000001234n, status: INVALID_INPUT },
  "reserved-63": { input: SIGNAL | FAST, parameter: 0x8000000000001234n, status: INVALID_INPUT },
  "repeated": { input: SIGNAL | FAST | repetitions(1), parameter: 0x1234n, status: INVALID_INPUT },
  "with-header": { input: SIGNAL | FAST | header(1), parameter: 0x1234n, status: INVALID_INPUT },
};

/** HvSignalEvent with its parameter in memory, and what it refuses: then nothing is signalled. */
export default defineCases("hyperv/signal-event-refused", byEachCall(rows), ({ row, call }) => {
  const { input, parameter, at, status } = row;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return {
    spec: [
      "KVM API 4.113: KVM_HYPERV_EVENTFD",
      "TLFS 11.11: HvSignalEvent",
      "TLFS 3.7: hypercall inputs are aligned to 8 bytes and do not cross a page",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [
      ...requires,
      "KVM_CAP_HYPERV_EVENTFD" as const,
      "KVM_CAP_HYPERV_SYNIC2" as const,
      call.requires,
    ],
    ...underHyperv({
      guest: asm`
        ${identify}
        mov rcx, ${input}
        mov rdx, ${parameter}
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        > enable hyperv-synic2
        > hyperv-eventfd 0x1234
        pio out 0xf4 u8 ${hex(status)}
        > signalled -> ${status === SUCCESS ? "0x1" : "0x0"}
        = rax ${hex(status)}
        = rcx ${hex(input)}
        = rdx ${hex(parameter)}
      `,
    }, ({ vm, vcpu, run, note, write }) => {
      using event = new EventFd();
      // Without it nothing would come to the host either.
      vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2");
      vm.hyperv.assign(event, 0x1234);
      if (at !== undefined) write(at, Uint8Array.of(0x34, 0x12));
      run();
      note("signalled", [], event.take());
    }),
  };
});
