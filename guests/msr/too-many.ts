import { asm, defineCases } from "../../mod.ts";

const rows = { "one-less": { count: 255, answer: "0xff" }, limit: { count: 256, answer: "E2BIG" } };

/** KVM_SET_MSRS and KVM_GET_MSRS take fewer than 256 MSRs at once. */
export default defineCases("msr/too-many", rows, ({ count, answer }) => ({
  spec: ["KVM API 4.18: KVM_GET_MSRS", "KVM API 4.19: KVM_SET_MSRS"],
  mode: "long",
  guest: asm`hlt`,
  drive: ({ vcpu, attempt, note, run }) => {
    const entries = Array.from(
      { length: count },
      (_, data) => ({ index: 0x175, data: BigInt(data) }),
    );
    attempt(() => note("got", [BigInt(vcpu.msrs(entries.map(({ index }) => index)).length)]));
    attempt(() => vcpu.setMsrs(entries));
    run();
  },
  trace: `
    ${answer === "E2BIG" ? "" : "> got 0xff"}
    > set-msrs ${
    Array.from({ length: count }, (_, data) => `msr.0x175=0x${data.toString(16)}`).join(" ")
  } -> ${answer}
    hlt
    = msr.0x175 ${answer === "E2BIG" ? "0x0" : "0xfe"}
  `,
}));
