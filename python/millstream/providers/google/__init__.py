"""Google's Gemini API: ``ChatGoogleGenerativeAI``."""
