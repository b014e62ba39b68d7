/** Rows of DESIGN §9 whose subject is not built yet. */
export default {
  name: "later",
  title: "rows that come with other issues",
  async measure() {
    return ["rows into a sink", "onnx_single"].map((what) => ({
      what,
      against: "comes with its own issue",
      ours: "–",
      theirs: "–",
      ratio: "–",
      target: "–",
      met: "–",
    }));
  },
};
