import { asm, defineCase } from "../../mod.ts";
import { machine, requires } from "./_vmx.ts";

const FIRST = 0x480, COUNT = 18, TABLE = 0xa000;

/** The capability MSRs read the same for guest and host, agree with one another, and are read-only. */
export default defineCase({
  id: "nested-vmx/capability-read",
  spec: ["SDM 3D A: VMX capability reporting facility", "SDM 4: IA32_VMX_BASIC and on (read-only)"],
  mode: "long",
  requires,
  machine,
  handlers: { 13: "handler" },
  guest: asm`
    mov ecx, ${FIRST}
    mov edi, ${TABLE}
    next:
    rdmsr
    mov [rdi], eax
    mov [rdi + 4], edx
    ; A write of what it has is #GP all the same.
    wrmsr
    out 0xee, al
    handler:
    add rsp, 48
    inc esi
    add edi, 8
    inc ecx
    cmp ecx, ${FIRST + COUNT}
    jne next
    hlt
  `,
  drive: ({ vcpu, run, read, assertEquals }) => {
    run();
    const bytes = read(TABLE, COUNT * 8);
    const values = [...new BigUint64Array(bytes.slice().buffer)];
    const hosts = Array.from({ length: COUNT }, (_, index) => vcpu.msrs([FIRST + index])[0].data);
    assertEquals("what the guest reads", values, hosts);
    const msr = (number: number) => values[number - FIRST];
    const low = (number: number) => msr(number) & 0xffffffffn;
    const high = (number: number) => msr(number) >> 32n;
    const basic = msr(0x480);
    assertEquals("bit 31 of the revision", basic >> 31n & 1n, 0n);
    const size = basic >> 32n & 0x1fffn;
    assertEquals("a region of at most 4096 bytes", size > 0n && size <= 4096n, true);
    assertEquals("memory type", basic >> 50n & 15n, 6n);
    assertEquals("true controls", basic >> 55n & 1n, 1n);
    // Of the bits that have to be 1, the true controls leave some free.
    const pairs = [[0x481, 0x48d], [0x482, 0x48e], [0x483, 0x48f], [0x484, 0x490]];
    const default1 = [0x16n, 0x401e172n, 0x36dffn, 0x11ffn];
    pairs.forEach(([plain, exact], index) => {
      const name = plain.toString(16);
      assertEquals(`default1 of ${name}`, low(plain) & default1[index], default1[index]);
      assertEquals(`must be 1 of ${name}`, low(exact) & ~low(plain), 0n);
      assertEquals(`may be 1 of ${name}`, high(exact), high(plain));
      assertEquals(`must be 1 and may be of ${name}`, low(plain) & ~high(plain), 0n);
    });
    assertEquals("must be 1 of the secondary controls", low(0x48b), 0n);
    // Protection, numeric errors and paging are on, and CR4.VMXE.
    assertEquals("CR0 fixed to 1", msr(0x486), 0x80000021n);
    assertEquals("CR0 may be 1", msr(0x487), 0xffffffffn);
    assertEquals("CR4 fixed to 1", msr(0x488), 0x2000n);
    assertEquals("CR4 may be 1", msr(0x489) & 0x27ffn, 0x27ffn);
    assertEquals("the highest field", msr(0x48a) & 1n | msr(0x48a) >> 10n, 0n);
  },
  trace: `
    hlt
    = rax *
    = rcx 0x${(FIRST + COUNT).toString(16)}
    = rdx *
    = rsi 0x12
    = rdi 0x${(TABLE + COUNT * 8).toString(16)}
    = rflags 0x46
    = mem 0x${TABLE.toString(16)} u64 [${Array(COUNT).fill("*").join(" ")}]
    = mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]
  `,
});
