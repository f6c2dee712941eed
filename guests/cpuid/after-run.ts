import { asm, defineCase } from "../../mod.ts";

/** All that a leaf is. */
const members = ["function", "index", "flags", "eax", "ebx", "ecx", "edx"] as const;

/** Once a vCPU has run its leaves can be set again as they are, and not to anything else. */
export default defineCase({
  id: "cpuid/after-run",
  spec: "KVM API 4.20: KVM_SET_CPUID2 (after KVM_RUN)",
  mode: "long",
  guest: asm`
    hlt
    mov eax, 0x80000000
    cpuid
    mov edi, eax
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    hlt
  `,
  drive: ({ vcpu, run, attempt, assertEquals }) => {
    run();
    const entries = vcpu.cpuid();
    const extended = entries.find((entry) => entry.function === 0x80000000)!;
    attempt(() => vcpu.setCpuid(entries));
    for (const member of members) {
      const other = { ...extended, [member]: (extended[member] ^ 1) >>> 0 };
      attempt(() => vcpu.setCpuid(entries.map((entry) => entry === extended ? other : entry)));
    }
    attempt(() => vcpu.setCpuid(entries.slice(1)));
    run();
    assertEquals("the highest extended leaf", vcpu.regs().rdi, BigInt(extended.eax));
  },
  trace: `
    hlt
    > set-cpuid
    ${members.map(() => "> set-cpuid -> EINVAL").join("\n")}
    > set-cpuid -> EINVAL
    hlt
    = rdi *
    = rflags 0x46
  `,
});
