import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { identify } from "./_words.ts";

interface Row {
  /** EDX:EAX, EBX:ECX and EDI:ESI. */
  input: readonly [bigint, bigint];
  parameter: readonly [bigint, bigint];
  second: readonly [bigint, bigint];
  /** EDX:EAX behind it. */
  result?: readonly [bigint, bigint];
  /** The host gets it, with these parameters. */
  exit?: string;
}

const rows: Record<string, Row> = {
  "unknown-code": { input: [0n, 0x7fn], parameter: [0n, 0n], second: [0n, 0n], result: [0n, 2n] },
  "flush-list": {
    input: [2n, 3n],
    parameter: [0n, 0xb000n],
    second: [0n, 0n],
    result: [2n, 0n],
  },
  "parameter-high": {
    input: [0n, 2n],
    parameter: [1n, 0xb000n],
    second: [0n, 0n],
    result: [0n, 3n],
  },
  "post-message": {
    input: [0n, 0x5cn],
    parameter: [0x11n, 0xb000n],
    second: [0x22n, 0xc000n],
    exit: "hyperv-hypercall 0x5c [0x110000b000 0x220000c000] -> 0x5a00000012",
    result: [0x5an, 0x12n],
  },
};

const value = ([high, low]: readonly [bigint, bigint]) => ({ high, low });

/** A hypercall of 32-bit code has its 64-bit parts in pairs of registers. */
export default defineCases("hyperv/hypercall-32-bit", byEachCall(rows), ({ row, call }) => {
  const { input, parameter, second, result = [0n, 0n], exit = "" } = row;
  return {
    spec: ["TLFS 3.7: hypercall inputs (x86)", "TLFS 3.9: hypercall outputs"],
    mode: "protected" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_SYNIC2", call.requires],
    ...underHyperv({
      guest: asm`
        ${identify}
        mov edx, ${value(input).high}
        mov eax, ${value(input).low}
        mov ebx, ${value(parameter).high}
        mov ecx, ${value(parameter).low}
        mov edi, ${value(second).high}
        mov esi, ${value(second).low}
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        > enable hyperv-synic2
        ${exit}
        pio out 0xf4 u8 0x${(result[1] & 0xffn).toString(16)}
        = rax 0x${result[1].toString(16)}
        = rdx 0x${result[0].toString(16)}
        = rbx 0x${parameter[0].toString(16)}
        = rcx 0x${parameter[1].toString(16)}
        = rdi 0x${second[0].toString(16)}
        = rsi 0x${second[1].toString(16)}
      `,
    }, ({ vcpu }) => vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2")),
  };
});
