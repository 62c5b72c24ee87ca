// QR codes, where the browser can read them (BarcodeDetector): by camera or from an image.

export async function canRead() {
  try {
    return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
  } catch {
    return false;
  }
}

async function detect(image) {
  const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(image);
  return found.length ? found[0].rawValue : null;
}

// Text of the code in an image file; null when there is none.
export async function readImage(file) {
  try {
    return await detect(await createImageBitmap(file));
  } catch {
    return null;
  }
}

// Text of the first code before the camera; null when stopped by `signal`. Throws when there is no camera.
export async function scan(video, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      const text = await detect(video);
      if (text !== null) return text;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
