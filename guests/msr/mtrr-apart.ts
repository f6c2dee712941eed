import { asm, defineCase } from "../../mod.ts";

const variable = Array.from({ length: 16 }, (_, number) => 0x200 + number);
const fixed = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];
const registers = [...variable, ...fixed, 0x2ff];

/** A valid value of a register that no other has. */
function valueOf(register: number): bigint {
  if (register === 0x2ff) return 0xc05n;
  const number = BigInt(registers.indexOf(register));
  if (register < 0x210) {
    return number << 20n | 0x10000n | (register % 2 === 0 ? 0x4n : 0x800n);
  }
  // Bits of the number, as types 0 and 6.
  return [0n, 1n, 2n, 3n, 4n].reduce(
    (value, bit) => number >> bit & 1n ? value | 0x6n << bit * 8n : value,
    0x0501040000000000n,
  );
}

/** Each of the MTRRs is a register of its own, for the guest and for the host. */
export default defineCase({
  id: "msr/mtrr-apart",
  spec: ["SDM 3A 12.11.2: setting memory ranges with MTRRs", "KVM API 4.18: KVM_GET_MSRS"],
  requires: [{ cpuid: "MTRR" }],
  mode: "long",
  registers: { rdi: 0xb000n },
  guest: asm`
    mov esi, 0xa000
    mov ebx, ${registers.length}
    write:
    mov ecx, [rsi]
    mov eax, [rsi + 8]
    mov edx, [rsi + 12]
    wrmsr
    add esi, 16
    dec ebx
    jnz write
    mov esi, 0xa000
    mov ebx, ${registers.length}
    read:
    mov ecx, [rsi]
    rdmsr
    mov [rdi], eax
    mov [rdi + 4], edx
    add edi, 8
    add esi, 16
    dec ebx
    jnz read
    hlt
  `,
  drive: ({ vcpu, write, run, assertEquals }) => {
    const table = new BigUint64Array(registers.flatMap((index) => [BigInt(index), valueOf(index)]));
    write(0xa000, new Uint8Array(table.buffer));
    run();
    assertEquals(
      "KVM_GET_MSRS",
      vcpu.msrs(registers),
      registers.map((index) => ({ index, data: valueOf(index) })),
    );
  },
  trace: `
    hlt
    = rax 0xc05
    = rcx 0x2ff
    = rsi 0xa1c0
    = rdi 0xb0e0
    = rflags 0x46
    = mem 0xb000 u64 [${registers.map((index) => `0x${valueOf(index).toString(16)}`).join(" ")}]
  `,
});
