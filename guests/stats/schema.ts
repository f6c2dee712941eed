import { asm, defineCases, type StatisticDescriptor } from "../../mod.ts";
import { open, type Owner } from "./_open.ts";

type Rule = (descriptor: StatisticDescriptor) => boolean;

const isHistogram: Rule = ({ type }) => typeof type === "string" && type.endsWith("histogram");

/** What the document says of every descriptor: the descriptors that break it are listed. */
const rules: Record<string, Rule> = {
  "a type of the document": ({ type }) => typeof type === "string",
  "a unit of the document": ({ unit }) => typeof unit === "string",
  "a base of the document": ({ base }) => base === 2 || base === 10,
  "no other flag": ({ flags }) => flags < 0x1000,
  "one value unless it is a histogram": (of) => isHistogram(of) || of.size === 1,
  "two buckets or more in a histogram": (of) => !isHistogram(of) || of.size >= 2,
  "a width of linear buckets": (of) => of.type !== "linear-histogram" || of.bucketSize > 0,
  "no width of others": (of) => of.type === "linear-histogram" || of.bucketSize === 0,
  // Powers of ten are for time and cycles, powers of two for memory.
  "bytes in powers of two": (of) => of.unit !== "bytes" || of.base === 2,
  "seconds in powers of ten": (of) => of.unit !== "seconds" || of.base === 10,
  "booleans in no logarithmic histogram": (of) =>
    of.unit !== "boolean" || of.type !== "logarithmic-histogram",
  "two buckets for a boolean": (of) =>
    of.unit !== "boolean" || of.type !== "linear-histogram" || of.size === 2,
  "no scale of mere counts": (of) => of.unit !== "none" || of.exponent === 0,
  "a name": ({ name }) => /^[a-z0-9_]+$/.test(name),
};

const rows = Object.fromEntries(
  (["vm", "vcpu"] as Owner[]).flatMap((owner) =>
    Object.entries(rules).map(([what, holds]) => [
      `${owner}-${what.replaceAll(" ", "-")}`,
      { owner, what, holds },
    ])
  ),
);

/** Every descriptor is as the document describes descriptors. */
export default defineCases("stats/schema", rows, ({ owner, what, holds }) => ({
  spec: ["KVM API 4.133: struct kvm_stats_desc"],
  mode: "real",
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  guest: asm`hlt`,
  drive(context) {
    using statistics = open(context, owner);
    const broken = statistics.descriptors.filter((descriptor) => !holds(descriptor));
    context.assertEquals(`without ${what}`, broken, []);
  },
  trace: `hlt`,
}));
