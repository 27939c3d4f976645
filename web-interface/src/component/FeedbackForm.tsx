import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { sendFeedback } from "../api/queries";
import type { Component } from "../api/types";
import { text } from "../text";
import { Failure } from "../ui/states";

const RATINGS = [
  { rating: 5, says: text.feedback.yes },
  { rating: 3, says: text.feedback.partly },
  { rating: 1, says: text.feedback.no },
] as const;

/** Whether a prediction is of use, in two clicks and a sentence if wanted. */
export function FeedbackForm({ component, predictionId }: { component: Component; predictionId: string }) {
  const [rating, setRating] = useState<number | null>(null);
  const [words, setWords] = useState("");
  const sent = useMutation({ mutationFn: sendFeedback });
  if (sent.isSuccess) {
    return (
      <p className="notice" role="status">
        {text.feedback.thanks}
      </p>
    );
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (rating === null) return;
    const says = RATINGS.find((each) => each.rating === rating)?.says ?? "";
    sent.mutate({
      content: words.trim() === "" ? text.feedback.bare(says) : words.trim(),
      rating,
      component_id: component.id,
      component_type: component.type,
      prediction_id: predictionId,
    });
  };
  return (
    <form className="feedback" onSubmit={submit}>
      <fieldset className="segmented">
        <legend>{text.feedback.question}</legend>
        {RATINGS.map((each) => (
          <label key={each.rating}>
            <input
              type="radio"
              name={`useful-${predictionId}`}
              checked={rating === each.rating}
              onChange={() => {
                setRating(each.rating);
              }}
            />
            <span>{each.says}</span>
          </label>
        ))}
      </fieldset>
      {rating !== null && (
        <>
          <label className="field">
            <span>{text.feedback.words}</span>
            <textarea
              rows={2}
              maxLength={2000}
              value={words}
              onChange={(event) => {
                setWords(event.target.value);
              }}
            />
          </label>
          <button type="submit" className="button button-small" disabled={sent.isPending}>
            {text.feedback.send}
          </button>
        </>
      )}
      {sent.isError && <Failure error={sent.error} />}
    </form>
  );
}
