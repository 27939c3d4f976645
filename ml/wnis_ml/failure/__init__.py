"""When will it fail? Features, hazard model, judgement and explanation of the failure of pipes, valves and pumps."""
