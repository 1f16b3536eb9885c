// The picture with the detector's evidence map over it, and the slider between the two.

import { request } from "./api.js";
import { announce } from "./announce.js";
import { freshId, make } from "./dom.js";
import { explainForm, pictureBlob } from "./sight.js";
import { placeholder } from "./thumbnails.js";
import { shortName } from "./words.js";

const SMALL = 240; // pixels; smaller pictures are shown enlarged
const GREYNESS = 0.75;

/** The figure of an item; `release()` gives its memory back. */
export function evidenceFigure(item) {
  const urls = [];
  const show = (blob) => {
    const url = URL.createObjectURL(blob);
    urls.push(url);
    return url;
  };
  const { format } = item.record.result.picture;
  const stage = make("div", { class: "stage" });
  const controls = make("div", { class: "map-controls" });
  const figure = make("figure", { class: "evidence-figure" }, stage, controls);

  async function start() {
    const blob = await pictureBlob(item);
    const shown = blob && (await loaded(make("img", { src: show(blob), alt: `Picture: ${shortName(item.name)}` })));
    if (shown) {
      stage.classList.toggle("small", Math.max(shown.naturalWidth, shown.naturalHeight) < SMALL);
      stage.replaceChildren(make("div", { class: "frame" }, shown));
    } else stage.replaceChildren(placeholder(format, blob ? "no preview in this browser" : "the picture is not at hand"));
    offerMap(Boolean(shown));
  }

  function offerMap(hasPicture) {
    if (item.record.result.probability === null) return;
    const form = explainForm(item, hasPicture ? "map" : "overlay");
    if (form === null) {
      const why = "The picture was not kept: check it again to see where the evidence lies.";
      return controls.replaceChildren(make("p", { class: "hint" }, why));
    }
    const button = make("button", { type: "button", class: "quiet" }, "Show the evidence map");
    button.addEventListener("click", async () => {
      button.disabled = true;
      button.textContent = "Drawing the map…";
      try {
        const answer = await request("/explain", { method: "POST", body: form });
        const map = await loaded(make("img", { class: "map", src: show(await answer.blob()), alt: "" }));
        if (hasPicture) layOver(map);
        else replaceBy(map);
        announce("The evidence map is shown.");
      } catch (error) {
        controls.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
      }
    });
    controls.replaceChildren(button);
  }

  function layOver(map) {
    const picture = stage.querySelector("img");
    picture.after(map);
    const id = freshId("map");
    const strength = make("output", { for: id });
    const slider = make("input", { id, type: "range", min: 0, max: 100, step: 5, value: 100 });
    const follow = () => {
      map.style.opacity = slider.value / 100;
      picture.style.filter = `grayscale(${GREYNESS * (slider.value / 100)})`; // the map's colours are the only strong ones
      strength.textContent = `${slider.value} %`;
    };
    slider.addEventListener("input", follow);
    follow();
    const label = make("label", { for: id }, "Evidence map");
    controls.replaceChildren(
      make("div", { class: "slider" }, label, slider, strength),
      legend("uncoloured parts for neither, or they were not looked at"),
    );
    slider.focus();
  }

  function replaceBy(overlay) {
    overlay.className = "";
    overlay.alt = `Picture with its evidence map: ${shortName(item.name)}`;
    stage.replaceChildren(overlay);
    controls.replaceChildren(legend("pale parts for neither, and hatched ones were not looked at"));
  }

  start();
  return { element: figure, release: () => urls.forEach((url) => URL.revokeObjectURL(url)) };
}

function legend(rest) {
  return make(
    "p",
    { class: "legend" },
    make("span", { class: "swatch map-ai" }),
    "speaks for AI, ",
    make("span", { class: "swatch map-human" }),
    `for human; ${rest}. `,
    "The map shows what moved the model, not what was altered.",
  );
}

/** The image once it is decoded, or null if the browser cannot show it. */
async function loaded(image) {
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}
