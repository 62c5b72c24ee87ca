// Both digests of a file, each in a worker of its own. Nothing of the file leaves the browser.

export class Canceled extends Error {}
export class Unreadable extends Error {}

// {sha256, sm3, size} of a File or Blob; `progress` is told the bytes done by the slower digest.
export async function digestsOf(file, { progress = () => {}, signal } = {}) {
  const done = { sha256: 0, sm3: 0 };
  const told = (algorithm) => (bytes) => {
    done[algorithm] = bytes;
    progress(Math.min(done.sha256, done.sm3));
  };
  const jobs = ["sha256", "sm3"].map((algorithm) => digest(file, algorithm, told(algorithm), signal));
  const [sha256, sm3] = await Promise.all(jobs);
  return { sha256, sm3, size: file.size };
}

function digest(file, algorithm, progress, signal) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./hash_worker.js", import.meta.url), { type: "module" });
    const end = (act, value) => {
      worker.terminate();
      act(value);
    };
    signal?.addEventListener("abort", () => end(reject, new Canceled()), { once: true });
    if (signal?.aborted) return end(reject, new Canceled());
    worker.onmessage = ({ data }) => {
      if (data.digest) end(resolve, data.digest);
      else if (data.failed) end(reject, new Unreadable(data.failed));
      else progress(data.done);
    };
    worker.onerror = () => end(reject, new Unreadable("worker"));
    worker.postMessage({ file, algorithm });
  });
}
